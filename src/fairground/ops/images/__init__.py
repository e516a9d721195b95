"""Operations on pictures: checks of an installation, and prewarming."""
