"""TLS and mutual TLS on both doors, with real certificates."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request

import numpy as np
import pytest

pytest.importorskip("cryptography")

from certificates import Authority, ssl_config  # noqa: E402
from running import FakeModels, Running  # noqa: E402

from serving import client as command_line  # noqa: E402
from serving import tls  # noqa: E402
from serving.client import Client, ClientError, Tls  # noqa: E402
from serving.errors import ConfigError  # noqa: E402
from serving.rest import RestOptions  # noqa: E402

K = {"k": np.array([1], np.int32)}


@pytest.fixture(scope="module")
def authority():
    return Authority("ours")


@pytest.fixture(scope="module", params=[False, True], ids=["tls", "mutual"])
def secured(request, authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "ssl.config"
    certificate, key = authority.issue("server")
    path.write_text(
        ssl_config(authority.certificate, certificate, key, request.param)
    )
    config = tls.read(path)
    server = Running(
        FakeModels(lambda *_: {"x": np.array([7], np.int32)}),
        credentials=tls.server_credentials(config),
        rest=RestOptions(tls=tls.ssl_context(config)),
    )
    server.is_mutual = request.param
    yield server
    server.stop()


def of(authority, certificate="", key=""):
    texts = authority.certificate, certificate, key
    return Tls(*(text.encode() for text in texts))


def answers(server, credentials):
    with Client(
        server.target, tls=credentials, timeout_s=10, retries=None
    ) as client:
        try:
            return client.predict("s", K)["x"].tolist() == [7]
        except ClientError:
            return False


def test_a_client_that_trusts_the_authority_is_answered(secured, authority):
    assert answers(secured, of(authority)) is not secured.is_mutual


def test_a_client_with_a_certificate_is_answered(secured, authority):
    assert answers(secured, of(authority, *authority.issue("client")))


def test_a_client_of_another_authority_is_not(secured, authority):
    stranger = Authority("another")
    assert not answers(secured, of(stranger))
    answered = answers(secured, of(authority, *stranger.issue("client")))
    assert answered is not secured.is_mutual


def test_a_client_in_the_clear_is_not(secured):
    assert not answers(secured, None)


def rest_answers(server, authority, pair, tmp_path):
    context = ssl.create_default_context(cadata=authority.certificate)
    if pair:
        path = tmp_path / "client.pem"
        path.write_text(pair[1] + pair[0])
        context.load_cert_chain(path)
    url = f"https://{server.rest_target}/v1/models/recommender"
    try:
        with urllib.request.urlopen(url, timeout=10, context=context):
            return True
    except OSError:
        return False


def test_rest_asks_for_the_same(secured, authority, tmp_path):
    mine = authority.issue("client")
    assert rest_answers(secured, authority, mine, tmp_path)
    alone = rest_answers(secured, authority, None, tmp_path)
    assert alone is not secured.is_mutual
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://{secured.rest_target}/", timeout=10)


def test_the_command_line_takes_the_files(secured, authority, tmp_path):
    certificate, key = authority.issue("client")
    flags = []
    for name, text in (
        ("ca", authority.certificate), ("cert", certificate), ("key", key)
    ):
        (tmp_path / name).write_text(text)
        flags += [f"--tls_{name}", str(tmp_path / name)]
    asked = command_line.parser().parse_args(["similar", "i1", *flags])
    assert answers(secured, command_line.tls_of(asked))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"key": ""}, "lacks server_key"),
        ({"certificate": ""}, "lacks server_cert"),
        ({"authority": ""}, "lacks custom_ca"),
        ({"key": "no PEM"}, "no PEM texts that belong together"),
        ({"key": None}, "no PEM texts that belong together"),
    ],
    ids=["key", "certificate", "authority", "no PEM", "another's key"],
)
def test_a_config_that_cannot_work_is_refused(
    authority, tmp_path, changes, message
):
    certificate, key = authority.issue("server")
    texts = {
        "authority": authority.certificate,
        "certificate": certificate,
        "key": key,
        **changes,
    }
    texts["key"] = (
        authority.issue("x")[1] if texts["key"] is None else texts["key"]
    )
    path = tmp_path / "ssl.config"
    path.write_text(ssl_config(**texts, verify=True))
    with pytest.raises(ConfigError, match=message) as caught:
        tls.read(path)
    assert "PRIVATE" not in str(caught.value)
