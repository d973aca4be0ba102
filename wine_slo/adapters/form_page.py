"""The form of the thirteen measurements as a page; works without JavaScript."""

from html import escape

from wine_slo.domain.classifier import Card


def render(card: Card) -> str:
    """Return the page with an empty form."""
    fields = "\n".join(
        f'<p><label>{escape(feature.name)} {escape(feature.unit)} <input name="{escape(feature.name)}"></label></p>'
        for feature in card.features
    )
    return (
        '<!doctype html><html lang="en"><title>Wine</title>'
        f'<form method="post" action="/predict">{fields}<button>Classify</button></form>'
    )
