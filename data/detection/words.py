"""The words of table and column names, in several languages, as one small vocabulary."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# What a name's words mean, in one English word; plurals are understood.
VOCABULARY = """
customer: customer client kunde kunden kundin kd cliente clientes klant klient kund kunder buyer shopper debitor debtor acheteur comprador asiakas zakaznik musteri cust purchaser payer consumer ctm
user: user usuario utilisateur benutzer gebruiker utente login
member: member mitglied membre socio lid miembro
account: account acct konto compte cuenta
contact: contact kontakt contacto
partner: partner geschaeftspartner thirdparty tiers bp
person: person people party parties personne persona individual household
guest: guest gast invitado
patron: patron subscriber donor patient passenger borrower policyholder tenant student abonnent spender spenderin beneficiary attendee participant
company: company companies firma firmen empresa unternehmen bedrijf societe organisation organization business ragione
order: order ordering pedido pedidos bestellung auftrag auftraege commande commandes ordine ordini ordem bestelling zamowienie encomenda ord
sale: sale vente venta ventas verkauf verkaeufe vendita vendite venda vendas verkoop
invoice: invoice bills rechnung rechnungen facture factura fattura fatture faktura fatura factuur inv nota
purchase: purchase achat compra acquisto kauf kaeufe inkoop
booking: booking reservation buchung reserva prenotazione boeking appointment
rental: rental rent vermietung verleih lease
ticket: ticket fahrschein
receipt: receipt bon quittung beleg belege recibo scontrino kassenbon
transaction: transaction transaktion transaccion trans txn tx
donation: donation spende don
contract: contract vertrag vertraege policy
payment: payment zahlung paiement pago pagamento betaling pay
document: document dokument documento doc move
line: line item detail position positionen pos ligne linea lineas riga righe regel artikelposition lineitem
header: header head kopf entete master entity tbl table main info data base overview lookup hdr
employee: employee staff mitarbeiter employe empleado dipendente medewerker worker salesperson personnel personal angestellter admin administrator operator
supplier: supplier vendor lieferant fournisseur proveedor fornitore leverancier fornecedor merchant seller
address: address adresse direccion indirizzo adres addr street strasse rue city ort stadt zip plz postal postcode postalcode country land town state region province
group: group gruppe groupe grupo gruppo segment team
log: log history historie historique historial protokoll audit journal archive archiv backup bak old tmp temp copy staging import deleted_rows snapshot stats stat statistics summary report cache queue
note: note comment kommentar notiz remark bemerkung message tag review rating feedback favorite favourite wishlist demographic preference attribute meta setting image file attachment token session visit activity device password role permission consent newsletter interest question answer
type: type typ kind art tipo classification category kategorie categorie class recordtype
status: status state zustand estado statut stato phase stage
cart: cart basket warenkorb panier carrito quote quotation angebot angebote devis estimate offer proposal propal proforma draft entwurf lead opportunity inquiry request rfq
refund: refund return retoure credit gutschrift creditmemo avoir chargeback dispute rma
shipment: shipment shipping ship shipped delivery delivered lieferung versand livraison envio freight porto fulfillment carrier spedizione handling wrapping postage transport
product: product produkt produit producto artikel article sku material variant stock inventory
id: id no nr num number nummer numero key code ref reference fk pk uuid guid oid rowid kennung sk
name: name nm nom nombre nome naam namn bezeichnung
nick: nick nickname
first: first vorname prenom voornaam given fname firstname forename
last: last nachname surname apellido apellidos cognome achternaam family lname lastname zuname
email: email mail emails correo courriel epost emailaddress emailadresse
phone: phone telefon telephone tel telefono telefoon fone phonenumber
mobile: mobile handy cell cellphone gsm mobil
fax: fax telefax
created: created create creation creado cree added add inserted insert registered registration joined join signup since erstellt angelegt datec opened entry entered anlage
updated: updated update upd modified modification mod changed change edited geaendert aenderung touched synced sync tms lastmod
deleted: deleted delete removed discarded geloescht supprime eliminado trashed erased deletion
total: total gesamt summe totale totaal suma sum insgesamt som
amount: amount betrag montant importe importo bedrag belopp amt ammount revenue umsatz valor value wert betraege
grand: grand final overall end
subtotal: subtotal zwischensumme sub
price: price preis prix precio prezzo prijs preco einzelpreis
unit: unit each einzel stueck einheit per
quantity: quantity qty menge anzahl quantite cantidad aantal quantidade quantita count units pieces
discount: discount rabatt remise descuento sconto korting desconto rebate disc reduction coupon voucher promotion promo
tax: tax taxes vat tva mwst ust iva btw steuer gst
gross: gross brutto ttc incl including inc inclusive
net: net netto ht excl excluding exc exclusive
cost: cost kosten cout costo einkaufspreis ek cogs margin profit
paid: paid bezahlt paye pagado pagato betaald settled captured received
due: due faellig echeance outstanding open required
balance: balance saldo solde remaining rest
cents: cent cents minor centimes pence pfennig centavos
date: date datum fecha day datef dato
time: time timestamp at on zeit heure hora datetime
ordered: ordered placed bestellt submitted purchased
percent: percent pct percentage prozent perc
currency: currency waehrung devise moneda valuta curr ccy divisa valute moeda
canceled: canceled cancelled cancel storniert voided void annule closed completed confirmed expired expires expiry expiration valid end ended start begin arrival departure checkin checkout approved finished processed printed exported sent birth birthday dob
by: by von author creator owner assigned assignee approver agent rep representative cashier clerk driver handler editor modifier manager courier
billing: billing bill ship2 recipient parent referrer referred sponsor original previous alternate
active: active inactive aktiv inaktiv enabled disabled blocked banned hidden gesperrt archived obsolete discontinued suspended visible locked actif inactif activo
membership: membership ownership dealership loyalty points reward
weight: weight gewicht poids
"""
_SURFACES: dict[str, str] = {}


def listed(words: str) -> set[str]:
    """A set of words, written with blanks between."""
    return set(words.split())


def weights(words: str) -> dict[str, float]:
    """Words with a number behind each."""
    found = words.split()
    return {word: float(weight) for word, weight in zip(found[::2], found[1::2], strict=True)}


def _plurals(word: str) -> list[str]:
    if len(word) < 4:
        return [f"{word}s"] if len(word) == 3 else []
    return [f"{word}s", f"{word}es", f"{word}n", f"{word}en", f"{word[:-1]}ies", f"{word}e", f"{word}er"]


def _load() -> None:
    groups = [line.split(":") for line in VOCABULARY.strip().splitlines()]
    for meaning, surfaces in groups:
        _SURFACES.update({surface: meaning for surface in surfaces.split()})
    for meaning, surfaces in groups:
        for surface in surfaces.split():
            for plural in _plurals(surface):
                _SURFACES.setdefault(plural, meaning)


_load()
_LONGEST = max(map(len, _SURFACES))


@lru_cache(maxsize=65536)
def raw_words(name: str) -> tuple[str, ...]:
    """A name's words as written, in small letters without accents: `CustomerID` as customer, id."""
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue"), ("ß", "ss")):
        name = name.replace(letter, plain)
    plain_name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+", plain_name)
    return tuple(word.lower() for word in found)


@lru_cache(maxsize=65536)
def words_of(name: str) -> tuple[str, ...]:
    """A name's words by meaning: `Kundennr` and `CUSTNO` as customer, id. Words that mean nothing here stay."""
    found: list[str] = []
    for word in raw_words(name):
        pieces = (word,) if word in _SURFACES else _split(word) or (word,)
        found.extend(_SURFACES.get(piece, piece) for piece in pieces)
    return tuple(word for n, word in enumerate(found) if not (word == "e" and found[n + 1 : n + 2] == ["email"]))


def _split(word: str) -> tuple[str, ...] | None:
    """A word without gaps as the known words that make it up (`auftragspositionen`), the fewest; None where it is not."""
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _LONGEST), end):
            before, piece = best[start], word[start:end]
            known = piece in _SURFACES or (piece == "s" and start > 0 and end < len(word))
            if before is None or not known:
                continue
            found = best[end]
            if found is None or len(before) + 1 < len(found):
                best[end] = (*before, piece)
    pieces = best[-1]
    if pieces is None or len(pieces) > 5 or max(map(len, pieces)) < 4:
        return None
    return tuple(piece for piece in pieces if piece != "s")
