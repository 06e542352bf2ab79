"""The receiver of the documentation takes what is sent, once, and believes nothing else."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.conftest import Office
from tests.api.webhooks.conftest import Make

from trellis.api.webhooks import delivering, log
from trellis.automation.worker import drain
from trellis.model.sealing import seal, unseal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def webhook(make: Make, port: int):  # type: ignore[no-untyped-def]
    return make(url=f"http://127.0.0.1:{port}/", events=("created",))


@pytest.fixture
def example(tmp_path: Path, port: int, webhook: object) -> Iterator[subprocess.Popen[str]]:
    """The page's program, with the webhook's secret."""
    found = re.search(r"^```python receiver\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    (tmp_path / "receiver.py").write_text(found[1])
    env = {**os.environ, "WEBHOOK_SECRET": unseal(webhook.secret), "PORT": str(port)}  # type: ignore[attr-defined]
    started = subprocess.Popen([sys.executable, tmp_path / "receiver.py"], env=env, stdout=subprocess.PIPE, text=True)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield started
    if started.poll() is None:
        started.kill()
        started.communicate()


def test_it_takes_each_message_once(
    catalogue: Catalogue,
    office: Office,
    store: Store,
    webhook,
    example: subprocess.Popen[str],  # type: ignore[no-untyped-def]
) -> None:
    store.create("account", {"name": "Documented"})
    drain(catalogue, office.tenant)
    [message] = log.messages(office.tenant, webhook.id)
    assert message.status == 204
    log.replay(office.tenant, webhook.id, [message.id])
    drain(catalogue, office.tenant)
    example.terminate()
    assert example.communicate()[0].splitlines() == ["account.created Documented"]


def test_it_believes_no_other(office: Office, webhook, example: subprocess.Popen[str]) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace
    from uuid import uuid4

    from trellis.api.webhooks.signing import new_secret

    forged = replace(webhook, secret=seal(new_secret()))
    assert delivering.request(forged, uuid4(), b"{}").status == 401
    assert delivering.request(webhook, uuid4(), b'{"type": "x", "data": {}}').status == 204
