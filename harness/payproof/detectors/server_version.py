from typing import ClassVar

from payproof.domain.finding import Confidence
from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["ServerVersion"]


@detector
class ServerVersion(FormDetector):
    """Versions of the server's software, in headers and on the error pages of servers; a name alone is none."""

    name: ClassVar[str] = "server_version"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b"content-type: text/html\nserver: nginx/1.22.1\n",
        b"Server: Apache/2.4.62 (Debian) OpenSSL/3.0.15",
        b"server: Werkzeug/3.1.3 Python/3.12.1",
        b"x-powered-by: PHP/8.2.28",
        b"x-aspnet-version: 4.0.30319",
        b"<hr><center>nginx/1.22.1</center>",
        b"<address>Apache/2.4.62 (Debian) Server at billing.example Port 443</address>",
        b'<hr class="line" /><h3>Apache Tomcat/10.1.34</h3>',
        b'<hr><a href="https://jetty.org/">Powered by Jetty:// 12.0.16</a><hr/>',
        b"<address>WEBrick/1.8.1 (Ruby/3.1.7) at 127.0.0.1:80</address>",
        b"Phusion Passenger(R) 6.0.20",
        b'Powered by <a href="http://www.cherrypy.dev">CherryPy 18.10.0</a>',
        b"ASP.NET Version:4.8.4110.0",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b"server: nginx\nx-powered-by: Express\n",
        b"server: cloudflare\ncf-ray: 8f14e45fceea167a-FRA\n",
        b"<hr><center>nginx</center>",
        b'{"version":"1.2.3","server":"billing"}',
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "version of the server's software",
            rb"(?im)^(?:server|x-powered-by|x-aspnet-version|x-aspnetmvc-version|"
            rb"x-generator):[^\n]{0,200}?\d\.\d[^\n]{0,100}",
            Confidence.MEDIUM,
        ),
        Form(
            "version of the server's software",
            rb"<center>(?:nginx|openresty|tengine)/\d[\d.]*|\bApache/\d[^\n<]{1,200} Server at |Apache Tomcat/\d[\d.]*|"
            rb"Jetty://\s?\d[\w.]*|\bWEBrick/\d[\d.]*|Phusion Passenger(?:\(R\))? \d[\d.]*|"
            rb"Powered by CherryPy \d[\d.]*|"
            rb"ASP\.NET Version:\s?\d[\d.]*",
            Confidence.MEDIUM,
        ),
    )
