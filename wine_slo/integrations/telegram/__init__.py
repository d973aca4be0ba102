"""The Telegram Bot API: one door for python-telegram-bot."""
