"""Who the demo company's customers are: names in several scripts, reserved phone numbers, example addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Community:
    """Names of one script: each as it is written, and as it stands in an e-mail address."""

    share: int
    given: dict[str, str]
    family: dict[str, str]
    cities: tuple[str, ...]
    phone: str
    family_first: bool = False


def _pairs(words: str) -> dict[str, str]:
    """`Zoë=zoe Łukasz=lukasz` as a dictionary."""
    return dict(word.split("=") for word in words.split())


def _plain(words: str) -> dict[str, str]:
    """ASCII names, which stand in an address as they are, in lower case."""
    return {word: word.lower().replace("'", "") for word in words.split()}


# Every number is of a range kept for fiction: 555-01xx, Ofcom's 1632 960xxx and 20 7946 0xxx, ARCEP's 1 99 00,
# the Bundesnetzagentur's 30 23125. `#` is a digit.
AMERICA, BRITAIN, LONDON = "+1 202 555 01##", "+44 1632 960###", "+44 20 7946 0###"
FRANCE, GERMANY = "+33 1 99 00 ## ##", "+49 30 23125 ###"

COMMUNITIES = (
    Community(
        26,
        _plain("Alice James Grace Henry Nora Owen Ruby Samuel Tessa Victor Hazel Martin Olive Peter Clara Daniel"),
        _plain(
            "Ashby Barlow Carver Dalton Ellery Fenwick Garner Holt Ivers Keane Lowell Marsh O'Brien Penrose Quill Thorne"
        ),
        ("Leeds", "Bristol", "Cardiff", "Glasgow", "London"),
        LONDON,
    ),
    Community(
        10,
        _plain("Emma Liam Ava Noah Mia Ethan Chloe Mason Ella Lucas Amara Isaac"),
        _plain("Adeyemi Brooks Castillo Dawson Ellis Freeman Grant Hayes Ingram Jordan Kimball Lawson"),
        ("Portland", "Austin", "Denver", "Chicago"),
        AMERICA,
    ),
    Community(
        14,
        _pairs(
            "Jürgen=juergen Anneliese=anneliese Björn=bjoern Käthe=kaethe Sören=soeren Änne=aenne Lukas=lukas Heidi=heidi"
        ),
        _pairs(
            "Müller=mueller Schäfer=schaefer Weiß=weiss König=koenig Böhm=boehm Vogel=vogel Groß=gross Jäger=jaeger"
        ),
        ("Berlin", "Köln", "München", "Zürich", "Graz"),
        GERMANY,
    ),
    Community(
        12,
        _pairs("Chloé=chloe François=francois Zoë=zoe Hélène=helene Noël=noel Inès=ines Thérèse=therese Rémi=remi"),
        _pairs(
            "Lefèvre=lefevre Béranger=beranger Côté=cote D'Aubigné=daubigne Desprès=despres Gérard=gerard Lemaître=lemaitre"
        ),
        ("Paris", "Orléans", "Liège", "Genève"),
        FRANCE,
    ),
    Community(
        10,
        _pairs("José=jose Begoña=begona Íñigo=inigo Lucía=lucia João=joao Conceição=conceicao Álvaro=alvaro Inês=ines"),
        _pairs("Núñez=nunez García=garcia Muñoz=munoz Araújo=araujo Gonçalves=goncalves Ibáñez=ibanez Sá=sa Peña=pena"),
        ("Málaga", "Logroño", "Lisboa", "Bogotá"),
        BRITAIN,
    ),
    Community(
        8,
        _pairs(
            "Łukasz=lukasz Żaneta=zaneta Jiří=jiri Šárka=sarka Çağla=cagla İbrahim=ibrahim Øyvind=oyvind Åsa=asa Þóra=thora"
        ),
        _pairs(
            "Wójcik=wojcik Dvořák=dvorak Żak=zak Şahin=sahin Öztürk=ozturk Ångström=angstrom Sæther=saether Kovačić=kovacic"
        ),
        ("Łódź", "Brno", "İzmir", "Tromsø", "Malmö"),
        BRITAIN,
    ),
    Community(
        4,
        _pairs("Ελένη=eleni Γιώργος=giorgos Μαρία=maria Νίκος=nikos Σοφία=sofia Κώστας=kostas"),
        _pairs("Παππάς=pappas Νικολάου=nikolaou Οικονόμου=oikonomou Βλάχος=vlachos Δημητρίου=dimitriou"),
        ("Αθήνα", "Πάτρα"),
        BRITAIN,
    ),
    Community(
        4,
        _pairs("Олена=olena Тарас=taras Ирина=irina Борис=boris Милица=milica Георги=georgi"),  # noqa: RUF001
        _pairs("Шевчук=shevchuk Коваль=koval Орлов=orlov Петрович=petrovic Иванов=ivanov"),
        ("Київ", "Београд", "София"),
        GERMANY,
    ),
    Community(
        2,
        _pairs("ليلى=layla يوسف=yusuf مريم=maryam عمر=omar سارة=sara"),
        _pairs("حداد=haddad منصور=mansour الخطيب=alkhatib نجار=najjar"),
        ("بيروت", "عمّان"),
        FRANCE,
    ),
    Community(
        2,
        _pairs("נועה=noa דוד=david תמר=tamar אורי=uri"),
        _pairs("לוי=levi כהן=cohen מזרחי=mizrahi פרידמן=friedman"),
        ("חיפה", "תל אביב"),
        BRITAIN,
    ),
    Community(
        3,
        _pairs("伟=wei 芳=fang 娜=na 秀英=xiuying 磊=lei"),
        _pairs("王=wang 李=li 张=zhang 陈=chen 欧阳=ouyang"),
        ("上海", "成都"),
        AMERICA,
        family_first=True,
    ),
    Community(
        2,
        _pairs("葵=aoi 蓮=ren さくら=sakura 健=ken ユキ=yuki"),
        _pairs("佐藤=sato 鈴木=suzuki 高橋=takahashi 渡辺=watanabe"),
        ("京都", "札幌"),
        AMERICA,
        family_first=True,
    ),
    Community(
        1,
        _pairs("민준=minjun 서연=seoyeon 지우=jiwoo 하은=haeun"),
        _pairs("김=kim 이=lee 박=park 최=choi"),
        ("서울", "부산"),
        AMERICA,
        family_first=True,
    ),
    Community(
        2,
        _pairs("आरव=aarav दिया=diya अनन्या=ananya रोहन=rohan"),
        _pairs("शर्मा=sharma पटेल=patel वर्मा=varma गुप्ता=gupta"),
        ("मुंबई", "पुणे"),
        LONDON,
    ),
)

# One customer in nine is a company.
COMPANY_EVERY = 9
TRADES = ("Bakery", "Logistics", "Interiors", "Print", "Garden Supply", "Café", "Studio", "Hardware")
FORMS = ("Ltd", "GmbH", "& Sons", "SARL", "Inc.", "Group")
# Names that a careless page would run, or that a spreadsheet would: shown as typed everywhere, by customer number.
TROUBLE = {7: "**Bold** & <b>Co</b> :red[x] $y$", 11: "=SUM(1+1) Ltd"}
DOMAINS = ("example.com", "example.org", "example.net")

Person = tuple[str, str | None, str | None, str]


def people(
    count: int, rng: np.random.Generator, *, chunk: int, companies: Collection[int] = ()
) -> Iterator[list[Person]]:
    """`count` customers as (name, e-mail, phone, city), a chunk at a time. No two share an e-mail address.

    The customers numbered in `companies` are companies, and so are some of the others.
    """
    shares = np.array([c.share for c in COMMUNITIES], float)
    taken: Counter[str] = Counter()
    for start in range(0, count, chunk):
        size = min(chunk, count - start)
        which = rng.choice(len(COMMUNITIES), size, p=shares / shares.sum()).tolist()
        draws = rng.integers(0, 2**31, (size, 6)).tolist()
        for number in companies:
            if start < number <= start + size:
                draws[number - start - 1][2] = number * COMPANY_EVERY
        numbers = range(start + 1, start + size + 1)
        yield [_person(n, COMMUNITIES[w], d, taken) for n, w, d in zip(numbers, which, draws, strict=True)]


def _person(number: int, community: Community, draws: list[int], taken: Counter[str]) -> Person:
    given, given_ascii = _pick(community.given, draws[0])
    family, family_ascii = _pick(community.family, draws[1])
    name = f"{family}{given}" if community.family_first else f"{given} {family}"
    local = f"{given_ascii}.{family_ascii}"
    if draws[2] % COMPANY_EVERY == 0:
        name = f"{family} {TRADES[draws[3] % len(TRADES)]} {FORMS[draws[4] % len(FORMS)]}"
        local = f"office.{family_ascii}"
    taken[local] += 1
    address = f"{local}{taken[local] if taken[local] > 1 else ''}@{DOMAINS[draws[3] % len(DOMAINS)]}"
    email = None if draws[4] % 50 == 0 else address
    phone = None if draws[5] % 7 == 0 else _number(community.phone, draws[5])
    return TROUBLE.get(number, name), email, phone, community.cities[draws[2] % len(community.cities)]


def _pick(names: dict[str, str], draw: int) -> tuple[str, str]:
    return list(names.items())[draw % len(names)]


def _number(pattern: str, draw: int) -> str:
    """The pattern with its `#` replaced by digits."""
    digits = iter(f"{draw // 7:010}"[::-1])
    return "".join(next(digits) if sign == "#" else sign for sign in pattern)
