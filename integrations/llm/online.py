"""Question to a model server about our access: ``GET /models``, which costs nothing and asks no model.

Every OpenAI-compatible server has it. Only the names of models are read. A key of restricted rights may ask models and
not list them (403): that is a note, no trouble.
"""

from __future__ import annotations

from integrations.errors import CredentialsError, PolicyRefusedError
from integrations.fields import missing
from integrations.http import HttpReply, credential, send
from integrations.llm.errors import PROVIDER
from integrations.online import OnlineCheck
from integrations.settings import Settings

MAX_NAMES = 10_000


def check(settings: Settings, timeout: float) -> OnlineCheck:
    """Return whether the server takes the key and serves the model that the settings name."""
    provider = settings.provider(PROVIDER)
    try:
        reply = send(
            PROVIDER,
            "GET",
            f"{provider.base_url}/models",
            reach=provider.reach,
            headers={"Authorization": f"Bearer {credential(provider, 'api_key')}"},
            timeout=timeout,
            errors={401: CredentialsError, 403: PolicyRefusedError},
        )
    except PolicyRefusedError:
        return OnlineCheck(notes=("the key may not list models; whether it may ask them can't be seen",))
    names = _names(reply)
    known = settings.llm_model in names
    note = f"model {settings.llm_model!r} is not among the {len(names)} models listed (LLM_MODEL)"
    return OnlineCheck(
        rights=("list models",),
        account=f"models: {len(names)}" + (f", with {settings.llm_model}" if known else ""),
        version=provider.base_url.rstrip("/").rpartition("/")[2],
        notes=() if known else (note,),
    )


def _names(reply: HttpReply) -> frozenset[str]:
    """Return the ids of the models.

    Raises InvalidAnswerError for an answer that is no list of models.
    """
    listed = reply.json_object().get("data")
    if not isinstance(listed, list):
        raise missing(PROVIDER, "data")
    ids = (one.get("id") for one in listed[:MAX_NAMES] if isinstance(one, dict))
    return frozenset(one for one in ids if isinstance(one, str))
