"""The names of cities in several languages and spellings; each line is one city."""

from typing import Final

from fairground.modules.discovery.domain.search.documents import split

_CITIES: Final = """
Amsterdam · Amsterdã · Амстердам
Antwerp · Antwerpen · Anvers · Amberes
Athens · Athina · Αθήνα · Athen · Atenas · Атина · Афины
Bangkok · กรุงเทพ · 曼谷 · バンコク
Barcelona · Барселона
Basel · Basle · Bâle
Beijing · Peking · Pékin · 北京
Belgrade · Beograd · Београд · Belgrad
Berlin · Берлин · Βερολίνο · 柏林
Bern · Berne · Berna
Bratislava · Pressburg · Pozsony
Bruges · Brugge · Brujas
Brussels · Bruxelles · Brussel · Brüssel · Bruselas
Bucharest · București · Bukarest · Bucarest
Budapest · Budapeszt · Будапешт
Cairo · القاهرة · Le Caire · Kairo
Cape Town · Kaapstad · Kapstadt · Le Cap
Cologne · Köln · Koeln · Colonia · Kolonia
Copenhagen · København · Kopenhagen · Copenhague · Köpenhamn · Kobenhavn
Cracow · Kraków · Krakau · Cracovie
Damascus · دمشق · Damaskus
Delhi · New Delhi · दिल्ली
Dresden · Drážďany · Drezno
Dublin · Baile Átha Cliath
Edinburgh · Edimbourg · Dùn Èideann
Florence · Firenze · Florenz · Florencia
Frankfurt · Francfort · Frankfurt am Main
Gdansk · Gdańsk · Danzig
Geneva · Genève · Genf · Ginevra · Ginebra
Genoa · Genova · Gênes · Genua
Ghent · Gent · Gand
Gothenburg · Göteborg · Goteburg
Guangzhou · Canton · 广州
Hamburg · Hambourg · Hamburgo
Hanover · Hannover
Havana · La Habana · Havanna
Helsinki · Helsingfors · Хельсинки
Ho Chi Minh City · Saigon · Sài Gòn
Hong Kong · 香港
Istanbul · İstanbul · Constantinople · Стамбул
Jerusalem · ירושלים · القدس
Kharkiv · Харків · Харьков · Kharkov
Kyiv · Kiev · Київ · Киев · Kiew
Kyoto · 京都
Lisbon · Lisboa · Lissabon · Lisbonne · Лиссабон
Liège · Lüttich · Luik
Ljubljana · Laibach · Lubiana
London · Londres · Londra · Лондон · Λονδίνο · 伦敦 · ロンドン
Los Angeles · LA · Лос-Анджелес
Lucerne · Luzern · Lucerna
Luxembourg · Luxemburg · Lëtzebuerg
Lviv · Львів · Львов · Lemberg · Lwów
Lyon · Lyons · Lione
Madrid · Мадрид · 马德里
Majorca · Mallorca
Marseille · Marseilles · Marsella · Marsiglia
Mexico City · Ciudad de México · CDMX
Milan · Milano · Mailand · Milán · Милан
Minsk · Мінск · Минск
Moscow · Москва · Moskau · Moscou · Moskva · Moskwa · 莫斯科
Mumbai · Bombay · मुंबई
Munich · München · Muenchen · Monaco di Baviera · Мюнхен
Naples · Napoli · Neapel · Nápoles
New York · New York City · NYC · Nueva York · Нью-Йорк · Νέα Υόρκη · ニューヨーク · 纽约
Nice · Nizza · Niza
Nicosia · Λευκωσία · Lefkosia
Nuremberg · Nürnberg · Nuernberg · Norimberga
Odesa · Odessa · Одеса · Одесса
Oslo · Осло · オスロ
Osaka · Ōsaka · 大阪
Padua · Padova
Paris · Parigi · París · Париж · Παρίσι · パリ · 巴黎
Philadelphia · Philly
Piraeus · Πειραιάς
Porto · Oporto
Prague · Praha · Prag · Praga · Прага
Reykjavik · Reykjavík
Riga · Rīga · Рига
Rome · Roma · Rom · Рим · Ρώμη
Saint Petersburg · St Petersburg · Sankt Peterburg · Санкт-Петербург · Петербург
San Francisco · SF · Сан-Франциско
San Sebastián · Donostia
Sapporo · 札幌
Sarajevo · Сарајево
Seoul · 서울 · Séoul · ソウル
Seville · Sevilla · Séville
Shanghai · 上海
Singapore · Singapur · Singapour · 新加坡
Skopje · Скопје · Скопье
Sofia · София
Stockholm · Стокгольм · Estocolmo
Strasbourg · Straßburg · Estrasburgo
Syracuse · Siracusa
Taipei · 台北 · 臺北
Tallinn · Reval · Таллин
Tbilisi · თბილისი · Тбилиси · Tiflis
Tehran · تهران · Teheran
Tel Aviv · תל אביב
The Hague · Den Haag · La Haye · La Haya · 's-Gravenhage
Thessaloniki · Θεσσαλονίκη · Salonica · Saloniki
Tokyo · Tōkyō · 東京 · Tokio · Токио · 东京
Trier · Trèves
Turin · Torino
Valencia · València
Venice · Venezia · Venedig · Venise · Venecia · Венеция
Vienna · Wien · Vienne · Viena · Bécs · Вена · Βιέννη
Vilnius · Wilno · Vilna · Вильнюс
Warsaw · Warszawa · Warschau · Varsovie · Varsovia · Варшава
Washington · Washington DC · Вашингтон
Wroclaw · Wrocław · Breslau
Yerevan · Երևան · Ереван
Zagreb · Agram · Загреб
Zurich · Zürich · Zuerich · Zurigo
"""  # noqa: RUF001 - these letters are the point

Phrase = tuple[str, ...]


def _groups() -> dict[Phrase, tuple[Phrase, ...]]:
    found: dict[Phrase, tuple[Phrase, ...]] = {}
    for line in _CITIES.strip().splitlines():
        names = tuple(dict.fromkeys(tuple(split(name)) for name in line.split("·")))
        found |= dict.fromkeys(names, names)
    return found


NAMES_OF_CITY: Final = _groups()
"""From any name of a city, as folded words, to all its names."""
