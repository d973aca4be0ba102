"""Prometheus behind TLS: whose certificate it trusts, by which certificate it is known, and both rotated."""

import shutil
import ssl
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web

from tests.support.fakes.loopback import OnLoopback
from tests.support.real.certificates import Authority, Identity
from tests.support.real.processes import Process
from tests.support.real.prometheus import free_port, program
from wine_slo.config.files.access.tls_files import TlsFiles
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.slo.source.metric_source import MetricSourceError


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """An empty answer, and as the version the name of the client."""
    if request.path.endswith("buildinfo"):
        transport = request.transport
        assert transport is not None
        subject = dict(
            pair for each in (transport.get_extra_info("peercert") or {}).get("subject", ()) for pair in each
        )
        return web.json_response({"status": "success", "data": {"version": subject.get("commonName", "nobody")}})
    return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})


def serving(context: ssl.SSLContext) -> OnLoopback:
    return OnLoopback(answer, context)


class Queries:
    """The client and what it says of itself, over connections of their own for each question."""

    def __init__(self, url: str, tls: TlsFiles) -> None:
        self._url = url
        self._tls = tls

    async def query(self) -> None:
        async with aiohttp.ClientSession() as session:
            await PrometheusClient(session, self._url, {}, tls=self._tls.read).query("up")

    async def client(self) -> str | None:
        """Who the server says that the client is, where its version would be."""
        async with aiohttp.ClientSession() as session:
            return await PrometheusFacts(session, self._url, {}, tls=self._tls.read).server()


async def refusal(queries: Queries) -> str:
    with pytest.raises(MetricSourceError) as caught:
        await queries.query()
    return str(caught.value)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Identity:
    return authority.identity("server")


async def test_a_server_of_the_own_ca_is_trusted_and_of_none_other(
    authority: Authority, server: Identity, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other").ca
    async with serving(authority.server(server)) as prometheus:
        await Queries(prometheus.url, TlsFiles(authority.ca, None, None)).query()
        for wrong in (other, None):
            queries = Queries(prometheus.url, TlsFiles(wrong, None, None))
            with pytest.raises(
                MetricSourceError, match=r"^its certificate is not trusted \(.*\); WINE_SLO_PROMETHEUS_"
            ):
                await queries.query()
            assert await queries.client() is None


async def test_a_certificate_that_has_expired_and_one_of_another_host_are_called_so(authority: Authority) -> None:
    for identity, sentence in (
        (authority.identity("old", days=-1), "its certificate is not valid now (certificate has expired): it must be "),
        (
            authority.identity("other", address="127.0.0.2"),
            "its certificate is one of another host (IP address mismatch",
        ),
    ):
        async with serving(authority.server(identity)) as prometheus:
            assert (await refusal(Queries(prometheus.url, TlsFiles(authority.ca, None, None)))).startswith(sentence)


async def test_a_client_is_known_by_its_certificate(authority: Authority, server: Identity) -> None:
    client = authority.identity("watchdog")
    async with serving(authority.server(server, wants_clients_of=authority)) as prometheus:
        assert (
            await Queries(prometheus.url, TlsFiles(authority.ca, client.cert, client.key)).client()
            == "Prometheus watchdog"
        )


async def test_prometheus_itself_accepts_the_client_of_the_right_ca_alone(
    authority: Authority, server: Identity, tmp_path: Path
) -> None:
    wanted = {"client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": str(authority.ca)}
    own = {"cert_file": str(server.cert), "key_file": str(server.key)}
    (tmp_path / "web.yml").write_text(yaml.safe_dump({"tls_server_config": own | wanted}))
    (tmp_path / "prometheus.yml").write_text("global: {}")
    url = f"127.0.0.1:{free_port()}"
    files = ["--config.file=prometheus.yml", "--web.config.file=web.yml", "--storage.tsdb.path=data"]
    command = [program("prometheus"), *files, f"--web.listen-address={url}"]
    prometheus = await Process.start("prometheus", command, tmp_path, {})
    try:
        await prometheus.until_line("Server is ready")
        right, wrong = authority.identity("watchdog"), Authority(tmp_path, "other").identity("stranger")
        old = authority.identity("old", days=-1)
        await Queries(f"https://{url}", TlsFiles(authority.ca, right.cert, right.key)).query()
        for cert, key in ((wrong.cert, wrong.key), (old.cert, old.key), (None, None)):
            queries = Queries(f"https://{url}", TlsFiles(authority.ca, cert, key))
            sentences = [await refusal(queries) for _ in range(10)]  # its reason may be lost with the connection
            assert any(each.startswith("it does not accept this client's certificate (") for each in sentences)
    finally:
        await prometheus.kill()


async def test_a_certificate_that_is_rotated_is_used_for_the_next_connection(
    authority: Authority, server: Identity, tmp_path: Path
) -> None:
    """As Kubernetes does it: a link to a folder is exchanged, and all files with it."""
    for name in ("old", "new"):
        identity = authority.identity(name)
        (tmp_path / f"..{name}").mkdir()
        shutil.copy(identity.cert, tmp_path / f"..{name}" / "tls.crt")
        shutil.copy(identity.key, tmp_path / f"..{name}" / "tls.key")
    (tmp_path / "..data").symlink_to("..old")
    tls = TlsFiles(authority.ca, tmp_path / "..data" / "tls.crt", tmp_path / "..data" / "tls.key")
    async with serving(authority.server(server, wants_clients_of=authority)) as prometheus:
        queries = Queries(prometheus.url, tls)
        assert await queries.client() == "Prometheus old"
        (tmp_path / "..swap").symlink_to("..new")
        (tmp_path / "..swap").replace(tmp_path / "..data")
        assert await queries.client() == "Prometheus new"


async def test_while_a_certificate_is_half_rotated_the_old_one_is_used(
    authority: Authority, server: Identity, tmp_path: Path
) -> None:
    old, new = authority.identity("old"), authority.identity("new")
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    shutil.copy(old.cert, cert)
    shutil.copy(old.key, key)
    async with serving(authority.server(server, wants_clients_of=authority)) as prometheus:
        queries = Queries(prometheus.url, TlsFiles(authority.ca, cert, key))
        assert await queries.client() == "Prometheus old"
        shutil.copy(new.cert, cert)
        assert await queries.client() == "Prometheus old"
        key.unlink()
        assert await queries.client() == "Prometheus old"
        shutil.copy(new.key, key)
        assert await queries.client() == "Prometheus new"


async def test_a_ca_that_is_rotated_is_trusted_from_then_on(
    authority: Authority, server: Identity, tmp_path: Path
) -> None:
    ca = tmp_path / "bundle.pem"
    shutil.copy(Authority(tmp_path, "other").ca, ca)
    async with serving(authority.server(server)) as prometheus:
        queries = Queries(prometheus.url, TlsFiles(ca, None, None))
        with pytest.raises(MetricSourceError, match="not trusted"):
            await queries.query()
        shutil.copy(authority.ca, ca)
        await queries.query()
