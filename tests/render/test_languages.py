"""Script and language of a sentence, by its letters and its function words."""

import pytest

from dropscribe.model import Segment
from dropscribe.render.languages import languages, scripts
from render.documents import said


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello there, how are you", "latin"),
        ("Как дела, что нового у вас", "latin"),
        ("今天我们请到了老周来聊字幕", "han"),
        ("我们用GPT-4o做语音识别", "han"),
        ("The character 字 means a letter", "latin"),
        ("すべての人間は、生れながらにして自由", "kana"),
        ("모든 인간은 태어날 때부터 자유로우며", "hangul"),
        ("มนุษย์ทั้งปวงเกิดมามีอิสระ", "thai"),
        ("يولد جميع الناس أحرارا", "rtl"),
        ("כל בני האדם נולדו בני חורין", "rtl"),
        ("सभी मनुष्यों को गौरव और अधिकारों", "indic"),
        ("12 345", "latin"),
    ],
)
def test_the_script_is_the_one_most_letters_are_of(text: str, script: str) -> None:
    assert scripts([said(text)]) == [script]


def test_a_sentence_all_in_han_is_japanese_where_japanese_is_spoken() -> None:
    assert scripts([said("すべての人間は、生れながらにして自由である。"), said("国際連合憲章第一条")]) == [
        "kana",
        "kana",
    ]


def test_a_sentence_of_few_letters_goes_by_the_one_before_it_and_the_first_by_the_one_after() -> None:
    assert scripts([said("OK."), said("那我们开始聊一聊字幕这件事"), said("OK.")]) == ["han", "han", "han"]


def test_a_few_words_of_english_in_passing_do_not_end_a_chinese_run() -> None:
    talk = [
        said("那我们开始聊一聊字幕这件事"),
        said("Good morning, everybody."),
        said("We will do our best to keep moving"),
    ]

    assert scripts(talk) == ["han", "han", "latin"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We will do our best to keep things moving, given our circumstances", "en"),
        ("Nous ferons de notre mieux pour que les choses avancent", "fr"),
        ("Wir werden unser Bestes tun, damit es mit der Sache weitergeht", "de"),
        ("Haremos todo lo posible para que las cosas sigan su curso", "es"),
        ("Faremos o nosso melhor para que as coisas não parem", "pt"),
        ("Faremo del nostro meglio perché le cose vadano avanti", "it"),
        ("Chúng tôi sẽ cố gắng hết sức để mọi việc được tiếp tục", "vi"),
        ("Kami akan berusaha sebaik mungkin agar semuanya dapat berjalan dengan baik", "id"),
        ("Мы сделаем всё, что в наших силах", "ru"),
        ("你好你好你好你好", "zh"),
        ("xyzzy plugh", ""),
        ("Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw", ""),
        ("Chu\u0301ng to\u0302i se\u0303 co\u0302\u0301 ga\u0306\u0301ng he\u0302\u0301t su\u031b\u0301c", "vi"),
    ],
)
def test_the_language_is_told_by_its_function_words(text: str, language: str) -> None:
    assert languages([said(text)], scripts([said(text)])) == [language]


def test_what_the_recogniser_says_counts_more() -> None:
    segment = Segment(0, 1, None, None, "nl-NL", "Wij doen ons best", ())

    assert languages([segment], ["latin"]) == ["nl"]
