"""Any WSGI server's way in: `application`."""

from mobilizer.app import create_app

from mobilizer.settings import Settings

application = create_app(Settings())
