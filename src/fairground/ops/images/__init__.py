"""Operations on pictures: checks of an installation, and warm-up."""
