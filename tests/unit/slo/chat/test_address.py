"""Addresses: opaque, but for the channel that delivers there and the chat that a thread is of."""

from wine_slo.slo.chat.address import Address

TOPIC = Address.of("telegram", -1001, 30)


def test_an_address_names_its_channel_and_reads_otherwise_as_the_settings_do() -> None:
    assert TOPIC == "telegram:-1001/30"
    assert (TOPIC.channel, TOPIC.place) == ("telegram", "-1001/30")


def test_a_thread_belongs_to_a_chat_and_moves_with_it() -> None:
    assert (TOPIC.chat, TOPIC.thread) == (Address.of("telegram", -1001), "30")
    assert (TOPIC.chat.chat, TOPIC.chat.thread) == (TOPIC.chat, None)
    assert Address.of("telegram", -1002).within(TOPIC.thread) == "telegram:-1002/30"
    assert TOPIC.within(None) == TOPIC.chat
