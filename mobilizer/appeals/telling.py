"""Appeals: which language a text seems to be in, by the small words that no sentence does without.

Told apart are languages that share a script: letters alone tell the others (scripts.py). It is a guess and never more
than a remark; of a few words it says nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

from mobilizer.appeals.scripts import NOT_WORDS
from mobilizer.languages import parents

FEWEST_WORDS = 8
FEWEST_KINDS = 3  # different small words; one that comes twice by chance is no language
LEAST_SHARE = 0.18  # of the words; less is chance
CLEARLY = 2.0  # so many times as much as of the language that was expected

# Articles, prepositions, pronouns, auxiliaries: what one writes in any text whatever it is about.
# fmt: off
_SMALL_WORDS = {
    "en": "the and of to in is that for it with as was on are this be have not from you your we our they will "
           "by at or",
    "es": "de la que el en y los se las por un para con no una su al lo como más pero sus le ya o este sí "
           "porque esta es del muy nos ha tu te mi cuando todo son también hay está usted",
    "pt": "de a que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou "
           "quando muito nos já eu também só pelo pela até isso ela entre depois sem mesmo aos seus você são "
           "está num é foi",
    "fr": "de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont aux avec "
           "vous nous son elle mais ou votre leur cette comme être ont tout ses c'est qu'il d'un",
    "it": "di e il la che in un è per del una non con le si da i sono della come al più anche ma gli lo nel dei "
           "ha dalla alla questo ci mi ti nella se delle ho degli",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden "
           "aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum wir ihr uns",
    "nl": "de het een en van in is dat op te zijn met voor niet die aan er om ook als maar naar dan zij hij nog "
           "wordt door bij uit over heeft je wij ons jouw deze dit",
    "pl": "i w na z do się nie to jest że o jak za od po przez ale dla co są czy który która być tego jego jej "
           "już tak przed oraz może nas",
    "ro": "de și în la a cu pe că nu un o pentru este din mai ce se care sunt am fi au să sau al dar ale prin "
           "după noi dumneavoastră lui",
    "sv": "och i att det som en på är av för med den till inte om har de ett var vi du kan men så jag från vid "
           "när eller han hon oss",
    "da": "og i at det er en til på som af for med den ikke der et har de vi du kan men om så jeg fra ved når "
           "eller han hun os",
    "nb": "og i å det er en til på som av for med den ikke et har de vi du kan men om så jeg fra ved når eller "
           "han hun oss dere",
    "fi": "ja on ei että se oli hän mutta joka ovat kun niin myös kuin tai jos sen olla ole hänen ovat tämä me "
           "te voi nyt sekä",
    "cs": "a v se na je že to s z do o k i ale jako za by pro jsou od který která po co jeho jsem být už nebo "
           "také když není jsme",
    "hu": "a az és hogy nem is egy ez van volt de meg csak mint már ha vagy még el ki azt fel után majd minden "
           "lehet mert akkor ezt",
    "tr": "ve bir bu için da de ile ne çok olarak daha gibi var mi o en kadar sonra ama olan her değil bize biz "
           "siz ben ya veya",
    "id": "yang dan di untuk dengan ini dari dalam tidak itu akan pada juga ke adalah ada kami kita anda bisa "
           "atau oleh karena telah saya mereka",
    "sw": "ya na wa kwa ni katika la za cha kuwa hii huo hiyo yake wao lakini au kama sisi wewe yetu wetu yako "
           "baada sana hata pia",
    "vi": "và của là có không được cho một trong với các những đã người này khi để đến bạn chúng tôi cũng về ra "
           "như nhưng từ",
    "ca": "de la que el i en a els per un les amb no una al es del més com però són si va aquest aquesta us "
           "dels seva ens molt també",
    "ru": "и в не на я что он с как это по но она к из у за его от то так же для мы вы был бы все о её или нас "
           "ваш есть их ещё может",
    "uk": "і в не на що з як це та у до за від але він вона ми ви про його для є так був їх або ще бути які "
           "який нас може вже під",
    "bg": "и на да се в за от не е че са с по това как ще си но до като има или които ви ние той тя им към",
    "ar": "في من على إلى أن لا ما هذا هذه التي الذي عن مع هو هي كان ذلك قد لم أو كل بعد بين كما لكن حتى إذا أنت "
           "نحن",
    "fa": "و در به از که این را با است برای آن یک خود تا کرد بر هم نیز شما ما او هر می های اما یا چه بود شد",
    "ur": "کے کی میں کا سے ہے اور کو پر نے کہ یہ ہیں بھی اس کر ہم آپ تھا ایک جو تو لیے وہ نہیں یا گیا",
}
# fmt: on
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def seems(text: str, tag: str) -> str | None:
    """The language that a text seems to be in, if that is clearly another one than `tag`; None: it may well be.

    Merge tags, links and addresses don't count."""
    found = _WORD.findall(NOT_WORDS.sub(" ", text).casefold())
    if len(found) < FEWEST_WORDS:
        return None
    own = next((known for known in parents(tag) if known in _SMALL_WORDS), "")
    weights = _weights()
    shares = {other: sum(weights[other].get(word, 0.0) for word in found) / len(found) for other in weights}
    best = max(shares, key=lambda other: shares[other])
    if best == own or shares[best] < LEAST_SHARE or not _is_told_apart(tag, own):
        return None
    if len(weights[best].keys() & set(found)) < FEWEST_KINDS:
        return None
    return best if shares[best] >= CLEARLY * shares.get(own, 0.0) else None


def _is_told_apart(tag: str, own: str) -> bool:
    """Of a language that we have no words of, only a text that is not translated at all can be told."""
    return bool(own) or tag.partition("-")[0] not in {"nn", "no", "gl", "sr", "hr", "bs", "mk", "be", "ms", "ps"}


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    """By language, what each of its small words says: the less, the more languages have it."""
    listed = {tag: set(words.split()) for tag, words in _SMALL_WORDS.items()}
    shared = Counter(word for words in listed.values() for word in words)
    return {tag: {word: shared[word] ** -0.5 for word in words} for tag, words in listed.items()}
