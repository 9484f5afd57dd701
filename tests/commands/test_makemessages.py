"""The translators' file has one entry for words that occur plain and counted (`manage.py makemessages`)."""

from django.core.management import load_command_class

from ceadmin.management.commands.makemessages import Command, once_each

PLAIN = '#: a.py\nmsgid "run"\nmsgstr ""'
COUNTED = '#: b.py\nmsgid "run"\nmsgid_plural "runs"\nmsgstr[0] ""\nmsgstr[1] ""'
OTHER = '#: c.py\nmsgctxt "sport"\nmsgid "run"\nmsgstr ""'


def test_a_word_that_is_counted_somewhere_has_one_entry():
    assert once_each(f"{PLAIN}\n\n{COUNTED}") == COUNTED


def test_a_word_in_another_context_keeps_its_own():
    assert once_each(f"{OTHER}\n\n{COUNTED}\n\n{PLAIN}") == f"{OTHER}\n\n{COUNTED}"


def test_what_is_counted_by_the_product_s_own_function_is_found():
    command = load_command_class("ceadmin", "makemessages")

    assert isinstance(command, Command)
    assert "--keyword=things:2,3" in command.xgettext_options
