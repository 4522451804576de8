"""Settings: the environment decides, defaults suit one machine. docs/operations.md explains each.

Names are those of the environment variables in lower case; those that belong to the platform
alone begin with IKOMEK_.
"""

from datetime import datetime
from pathlib import Path

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.register.checkpoint import COSIGNATURE, parse_key


def _shared(name: str) -> AliasChoices:
    """A variable that other programs use too: with or without our prefix."""
    return AliasChoices(name, f"ikomek_{name}")


class Settings(BaseSettings):
    """What an operator of the platform can decide."""

    model_config = SettingsConfigDict(env_prefix="ikomek_", frozen=True, extra="ignore")

    database_url: str | None = Field(default=None, validation_alias=_shared("database_url"))
    """PostgreSQL as libpq names it; none: the embedded server, under `home`."""
    database_owner_url: str | None = Field(
        default=None, validation_alias=_shared("database_owner_url")
    )
    """The owner's URL, for migrations; none: `database_url`."""
    broker_url: str | None = Field(default=None, validation_alias=_shared("broker_url"))
    """amqp://… or redis://…; none: the embedded broker, in the same PostgreSQL."""
    storage_url: str | None = Field(default=None, validation_alias=_shared("storage_url"))
    """s3://bucket/prefix?endpoint=…&region=…; none: a folder under `home`."""
    home: Path = Path("var")
    """Where the embedded server, files and keys live."""
    keys: str | None = None
    """The keyring, `index:… 1:…`; none: a file under `home`."""
    signing_key: str | None = None
    """Signs the register's checkpoints, 32 bytes in base64; none: a file under `home`."""
    checkpoint_seconds: int = Field(default=60, ge=1, le=300)
    """How often the register is signed when something happened; an audit counts on the most."""
    checkpoint_folder: Path | None = None
    """Where every checkpoint is written as a file of its own; none: nowhere."""
    checkpoint_mail: tuple[str, ...] = ()
    """To whom the checkpoint of each day's end is mailed."""
    smtp_url: str | None = Field(default=None, pattern=r"^smtps?://[^/]+$")
    """smtp://user:password@host:587 (STARTTLS wherever it is offered) or smtps://…:465."""
    mail_from: str = "register@localhost"
    witness_keys: tuple[str, ...] = ()
    """Verifier keys of those whose cosignatures are taken (C2SP vkeys of type 4)."""
    host: str = "127.0.0.1"
    port: int = 8109
    public_url: str | None = None
    """How the world reaches the API, for links; none: http://host:port."""
    workers: int = 1
    """API processes."""
    pool_size: int = Field(default=10, ge=2)
    """Database connections of each process; an intake that runs out of numbers needs a second."""
    providers: Path | None = None
    """The YAML file of identity providers; none: nobody logs in through others."""
    eotinish: Path | None = None
    """The YAML file of the exchange with the national register of appeals; none: no exchange."""
    cors_origins: tuple[str, ...] = ()
    rate_limit: int = 600
    """Requests a minute of one principal on one process; 0: none."""
    webhook_allow_http: bool = False
    webhook_allowed_networks: tuple[str, ...] = ()
    webhook_authorities: Path | None = None
    """A PEM file of authorities for endpoints' certificates, beside those of the machine."""
    max_body: int = 1_000_000
    """Bytes of a JSON body; uploads have limits of their own."""
    graphql_introspection: bool = True
    """Whether clients may ask the graph for its schema."""
    graphql_documents: Path | None = None
    """The city's own list of GraphQL documents, by name; none: no list."""
    graphql_trusted_only: bool = False
    """Run the documents of that list and no others."""
    graphql_cost: int = Field(default=2_000, ge=1)
    """What one operation may cost."""
    graphql_budget: int = Field(default=60_000, ge=0)
    """What one principal's operations may cost a minute on one process; 0: no budget."""
    graphql_public_budget: int = Field(default=6_000, ge=0)
    """The same for all who come without a token from one address."""
    graphql_seconds: float = Field(default=10.0, gt=0)
    """How long one operation may take."""
    graphql_batch: int = Field(default=5, ge=0)
    """Operations of one request; 0: no batches."""
    graphql_subscriptions: int = Field(default=5_000, ge=1)
    """Subscriptions open at once on one process."""
    graphql_subscriptions_each: int = Field(default=100, ge=1)
    """Of one principal."""
    log_level: str = "INFO"
    warp_from: datetime | None = None
    """Demo only: the city's clock starts here, runs fast, and is the real one from `warp_until`."""
    warp_since: datetime | None = None
    warp_until: datetime | None = None

    @field_validator("witness_keys")
    @classmethod
    def _are_witnesses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(parse_key(key).kind != COSIGNATURE for key in value):
            raise ValueError("a witness's key is of type 4 (cosignature)")
        return value

    @model_validator(mode="after")
    def _mail_can_leave(self) -> "Settings":
        if self.checkpoint_mail and self.smtp_url is None:
            raise ValueError("IKOMEK_CHECKPOINT_MAIL needs IKOMEK_SMTP_URL")
        return self

    @model_validator(mode="after")
    def _trusts_something(self) -> "Settings":
        if self.graphql_trusted_only and self.graphql_documents is None:
            raise ValueError("IKOMEK_GRAPHQL_TRUSTED_ONLY needs IKOMEK_GRAPHQL_DOCUMENTS")
        return self

    @property
    def base_url(self) -> str:
        """Where links begin."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def storage(self) -> str:
        """The object store's URL or folder."""
        return self.storage_url or str(self.home / "files")
