from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class GreetingsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FAIRGROUND_GREETINGS_", frozen=True, extra="ignore")

    word: str = Field("Hello", description="How greetings begin.")
