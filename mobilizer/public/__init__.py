"""Public: the member's pages. No login, no cookie, no third-party byte; a signed token says who may do what.

State changes only by POST, and every POST is authorised by the token in its own address, by a form's own stamp, or,
on the watch page, changes nothing but a count: so the application exempts this blueprint from CSRF checks.
"""

from __future__ import annotations

from flask import Blueprint

from mobilizer.public import clicks, files, joining, knowing, leaving, preferences, sums, viewing, watching
from mobilizer.public.answers import asset, guard, keep_quiet

blueprint = Blueprint(
    "public", __name__, template_folder="templates", static_folder="static", static_url_path="/public"
)
blueprint.add_url_rule("/c/<token>/<int:n>", "click", clicks.click, methods=["GET"])
blueprint.add_url_rule("/n/<token>/<tag>/<int:n>", "click_in_sums", sums.click, methods=["GET"])
blueprint.add_url_rule("/n/<token>/<tag>.gif", "pixel_in_sums", sums.pixel, methods=["GET"])
blueprint.add_url_rule("/s/<code>/<slug>", "share", watching.share, methods=["GET"])
for rule in ("/w/<slug>/<tag>", "/w/<slug>/<tag>/<code>"):
    blueprint.add_url_rule(rule, "watch", watching.watch, methods=["GET"])
    blueprint.add_url_rule(rule, "watched", watching.watched, methods=["POST"])
for rule in ("/v/<token>", "/v/<token>/<tag>"):
    blueprint.add_url_rule(rule, "view", viewing.view, methods=["GET"])
blueprint.add_url_rule("/u/<token>", "unsubscribe", leaving.ask, methods=["GET"])
blueprint.add_url_rule("/u/<token>", "leave", leaving.leave, methods=["POST"])
blueprint.add_url_rule("/u/<token>/undo", "undo", leaving.undo, methods=["POST"])
blueprint.add_url_rule("/u/<token>/why", "say_why", leaving.say_why, methods=["POST"])
blueprint.add_url_rule("/u/<token>/back", "back", leaving.back, methods=["GET"])
blueprint.add_url_rule("/p/<token>", "preferences", preferences.show, methods=["GET"])
blueprint.add_url_rule("/p/<token>", "save_preferences", preferences.save, methods=["POST"])
blueprint.add_url_rule("/p/<token>/record", "ask_for_record", knowing.ask, methods=["POST"])
blueprint.add_url_rule("/p/<token>/erase", "erase", knowing.forget, methods=["POST"])
blueprint.add_url_rule("/p/<token>/asked", "record_asked", knowing.asked, methods=["GET"])
blueprint.add_url_rule("/p/<token>/erased", "erased", knowing.erased, methods=["GET"])
# Who reloads the address of a form, as a phone does by itself, comes to the page that it stands on.
for act in ("undo", "why"):
    blueprint.add_url_rule(f"/u/<token>/{act}", "leave_again", leaving.again, methods=["GET"])
for act in ("record", "erase"):
    blueprint.add_url_rule(f"/p/<token>/{act}", "preferences_again", knowing.again, methods=["GET"])
blueprint.add_url_rule("/r/<token>/erase", "record_again", knowing.record_again, methods=["GET"])
blueprint.add_url_rule("/r/<token>", "record", knowing.show, methods=["GET"])
blueprint.add_url_rule("/r/<token>", "show_record", knowing.show, methods=["POST"])
blueprint.add_url_rule("/r/<token>/erase", "erase_by_record", knowing.forget_by_record, methods=["POST"])
blueprint.add_url_rule("/r/<token>.json", "take_record", knowing.take, methods=["GET"])
blueprint.add_url_rule("/r/<token>.json", "take_shown_record", knowing.take, methods=["POST"])
blueprint.add_url_rule("/j/<slug>", "join", joining.form, methods=["GET"])
blueprint.add_url_rule("/j/<slug>", "ask_to_join", joining.ask, methods=["POST"])
blueprint.add_url_rule("/j/<slug>/sent", "join_sent", joining.sent, methods=["GET"])
blueprint.add_url_rule("/j/<slug>/frame", "framed_join", joining.form, methods=["GET"])
blueprint.add_url_rule("/j/<slug>/frame", "ask_framed", joining.ask, methods=["POST"])
blueprint.add_url_rule("/j/<slug>/frame/sent", "framed_sent", joining.sent, methods=["GET"])
blueprint.add_url_rule("/k/<token>", "confirm_page", joining.confirm_page, methods=["GET"])
blueprint.add_url_rule("/k/<token>", "confirm", joining.confirm, methods=["POST"])
blueprint.add_url_rule("/media/<name>", "media", files.media, methods=["GET"])
blueprint.add_url_rule("/q/<code>/<slug>.svg", "qr", files.qr, methods=["GET"])
blueprint.add_url_rule("/public/brand.css", "brand", files.brand, methods=["GET"])
blueprint.before_request(keep_quiet)
blueprint.after_request(guard)
blueprint.app_template_global("public_asset")(asset)
