"""Operations over platform and contracts; it is handed modules and imports none."""
