"""Addresses of databases, as each library wants them."""


def driver_url(url: str, driver: str) -> str:
    """A libpq URL as SQLAlchemy wants it: postgresql:// becomes postgresql+<driver>://."""
    return f"postgresql+{driver}://{url.split('://', 1)[1]}"
