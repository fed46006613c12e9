"""The words that the rules of `generation.wishes.reading` look for. All of them are matched against lower case."""

from typing import Final

from lazy import pattern

BLANK: Final = pattern(r"[^\w&:/.,!?;%+'×-]+")
TALK: Final = pattern(
    r"^(?:(?:a?ha+h?(?:ha*)*|lo+l+|lmf?ao+|omg+|wo+w+|ni+ce+|so|very|really|thanks?|thx|ty|tysm|thank you|you|much|"
    r"ok(?:ay)?|"
    r"cool+|great|good|job|work|bot|one|love|it|this|i|is|that|amazing|awesome|beautiful|perfect|pretty|cute|yes+|yeah|"
    r"yep|no+|nope|hmm*|hm|oh|ah|well|hey|hi|hello|sorry|damn|yay|aw+|bruh|bro|dude|haha\w*|lovely|the best|best|"
    r"not bad|"
    r"sick|fire|dope|gorgeous|stunning|excellent|fantastic|wonderful|almost|close|but|and)\b[\s,'!?.]*)+$"
)
POLITE: Final = pattern(
    r"^(?:(?:please|pls|plz|hey|hi(?!\W*res)|haha+|lmao|omg|bot|easel|ok(?:ay)?|now|so|and|then|but|maybe|also|just|well|cool|nice|great|lol|"
    r"thanks|thx|let'?s|kindly|rather)[\s,!.]+"
    r"|(?:can|could|would|will|may)\s+(?:you|u|ya|i|we|it)\s+(?=\w)(?:please\s+|pls\s+|plz\s+|maybe\s+|also\s+)*"
    r"(?:have\s+(?=a\s|it\s|this\s|some\s|another)|get\s+(?=a\s|it\s|this\s|some\s|another)|see\s+(?=a\s|it\s|this\s|some\s|another)|be\s+)?"
    r"|can\s+(?=the\s|his\s|her\s|its\s|their\s)"
    r"|(?:i|we)\s*(?:(?:want|need|wanna|prefer)|(?:'d|would|d)\s+(?:like|love|prefer))\s+(?:to\s+(?:have\s+|see\s+)?|you\s+to\s+)?"
    r"|what\s+if\s+(?:it|he|she|they|this|that|we)?\s*(?:was|were|had|is|made)?\s*"
    r"|how\s+about\s+|try\s+(?:to\s+)?(?=mak|add|remov|it\s)|go\s+for\s+|do\s+(?:it|this|that|one)\s+(?=as|in|with|but|at))"
)
COURTESY: Final = pattern(r"[\s,]+(?:please|pls|plz|plss|thanks|thx|ty|thank you|lol|haha|tho|though|:\)|ok)[\s!.]*$")
QUESTION: Final = pattern(
    r"^(?:how(?! about)|why|is|are|was|were|did|does|do (?:you|u|we|i)|who|when|where|which|whose|"
    r"what(?!\s+(?:if|is|s)\b|'?s\b))\b"
)
SUPPOSE: Final = pattern(r"^(?:what\s+if|how\s+about)\b")
STATEMENT: Final = pattern(
    r"^(?:i|we|you|u|they|he|she|it|this|that|these|those|there|the|his|her|its|their|my)\b(?!\s+same\b).*?"
    r"\b(?:is|are|was|were|looks?|made|makes|has|had|got|gets|looked|reminds?|like|likes|loves?|love|really)\b"
)
WISHED: Final = pattern(
    r"\b(?:should|shouldn'?t|must|could|needs?|too|broken|wrong|weird|messed|deformed|off|instead|want|same)\b"
)
INFO: Final = pattern(
    r"^(?:(?:the\s+)?(?:info|infos|information|details|parameters|params|settings|metadata|png\s?info)"
    r"|(?:what|which|show|give)(?:'?s|\s+is|\s+was|\s+me)?\s+(?:the\s+)?(?:prompt|model|settings|parameters|info|details)"
    r"(?:\s+(?:did\s+(?:you|u)\s+use|was\s+(?:this|that|it|used)|is\s+(?:this|that|it)|used))?|prompt)$"
)
SEED: Final = pattern(
    r"^(?:(?:the\s+)?seeds?|(?:what|which|show|give)(?:'?s|\s+is|\s+was|\s+me)?\s+(?:the\s+)?seeds?"
    r"(?:\s+(?:is|was)\s+(?:this|that|it))?)$"
)

COLOURS: Final = (
    r"red|blue|green|yellow|orange|purple|violet|pink|black|white|gr[ae]y|brown|blonde?|gold(?:en)?|silver|cyan|teal|"
    r"turquoise|magenta|beige|maroon|navy|ginger|pastel|neon|rainbow"
)
IT: Final = r"(?:it|this|that|the (?:image|picture|pic|photo|whole (?:thing|picture|image))|everything)"
MUCH: Final = r"(?:(?:a|much|even|bit|lot|little|way|slightly|far|just|more|some|tad|the)\s+)*"
NOUN: Final = r"(?:the|his|her|its|their|my|those|these|this|that|all|both|any|every)"

UPSCALE: Final = pattern(
    r"\b(?:upscal\w*|upres|up-?size|enlarg\w*|super-?res\w*)\b"
    r"|^(?:at\s+|make\s+it\s+|now\s+)?(?:x\s?[2-8]|[2-8](?:\.\d)?\s?[x×])(?:\s+(?:bigger|larger|size|as big|it))?$"
    r"|\b(?:hi(?:gh(?:er)?)?[\s-]?(?:res|resolution|definition|def|quality)|better\s+(?:resolution|quality))\b"
    r"|\b(?:increase|enhance|improve|double|boost|up|raise)\s+(?:the\s+)?(?:resolution|res|quality)\b"
    r"|\b(?:[48]k|u?hd|full hd|1080p|2160p)\b"
    rf"|^(?:make\s+|get\s+)?(?:{IT}\s+)?{MUCH}(?:sharper\s+and\s+)?(?:bigger|larger|huge)(?:\s+and\s+sharper)?"
    r"(?:\s+(?:version|one|image|picture|size|file))?$"
    r"|\b(?:double|triple|twice|quadruple)\s+(?:the\s+|its\s+)?(?:size|as\s+(?:large|big)|dimensions)\b"
)
BACKGROUND: Final = pattern(
    r"\b(?:backgrounds?|bg|backdrop|transparent|transparency|cut\s?out|isolated?|in\s+front\s+of)\b"
    rf"|\b(?:put|place|move)\s+(?:him|her|it|them|me|{NOUN}\s+\w+(?:\s+\w+)?)\s+(?:on|in|into|at|inside|onto|under|to)\s+(?!black|colou?r)"
)
PAN: Final = pattern(r"\b(left|right|up(?:wards?)?|top|above|down(?:wards?)?|bottom|below|beneath|under(?:neath)?)\b")
ZOOM: Final = pattern(
    r"\b(?:zoom\s?(?:ed|ing)?\s?(?:out|in)?|out\s?paint\w*|un-?crop\w*)\b"
    rf"|^(?:pan|extend|expand|continue|move|shift|scroll)\b(?=.*{PAN.pattern}|\s+{IT}\b|\s+the\b|$)"
    r"|\b(?:expand|extend)\s+(?:it|this|the\s+(?:image|picture|canvas|scene|view|pic|frame)|canvas)\b"
    rf"|^(?:show|see|reveal|what(?:'?s|\s+is))\s+(?:me\s+)?(?:(?:more|what(?:'?s|\s+is)|the|a|rest|bit|of)\s+)*"
    rf"(?:{NOUN}\s+)?(?:on\s+|to\s+|at\s+)?(?:the\s+)?(?:{PAN.pattern}|around|outside|beyond|surrounding\w*|scene|whole|full|rest|entire|sides?)\b"
    r"|\b(?:more|extra|add)\s+(?:empty\s+)?(?:space|room|canvas|margin)\b"
    r"|\b(?:further|farther)\s+(?:away|out|back)\b|\b(?:pull|step|move)\s+(?:the\s+camera\s+)?(?:back|away|out)\b"
    r"|\bmove\s+the\s+(?:camera|view|frame)\b|\bwider\s+(?:shot|view|angle)\b|\b(?:whole|full|entire)\s+body\b"
)
SIZE: Final = pattern(r"\b(\d{2,5})\s*(?:x|×|by)\s*(\d{2,5})\b")
RATIO: Final = pattern(r"(?<![\d:])(\d{1,2})\s?(?::|by)\s?(\d{1,2})(?![\d:])")
SHAPE: Final = pattern(
    r"\b(?:aspect|re-?size|dimensions|wallpaper|banner|widescreen|thumbnail size|story format)\b"
    r"|\bcrop(?:ped)?\s+(?:it\s+|this\s+)?(?:to|in|as|square)"
    rf"|^(?:make\s+)?(?:{IT}\s+)?(?:in(?:to)?\s+|as\s+)?(?:an?\s+)?{MUCH}(?:portrait|landscape|vertical|horizontal|square|wider|taller|"
    r"narrower|wide|tall)(?:\s+(?:format|orientation|mode|version|size|shape|image|picture|one))?$"
    r"|\b(?:portrait|landscape|square|wider|vertical|horizontal)\s+(?:format|orientation|mode|aspect)\b"
    r"|\bchange\s+the\s+(?:size|format|shape)\b"
)
VARY: Final = pattern(
    r"^(?:vary|variations?|variants?|varied)\b|\b(?:vary|variations?|variants?)\b"
    rf"|\b(?:slightly|somewhat|kinda|a\s+(?:bit|little|tad))\s+different\b|^(?:make\s+)?(?:{IT}\s+)?different$|^different\s+(?:one|version|take)s?$"
    r"|\bsimilar(?!\s+to)\b|\bmore\s+(?:like|of)\s+(?:this|that|these|it)\b"
    r"|\b(?:other|few|several|some|different|alternat\w+|more|[2-9]|two|three|four)\s+(?:\w+\s+)?(?:versions?|takes?|options|alternatives)\b"
)
AGAIN: Final = pattern(
    r"^(?:(?:re-?(?:roll|do|try|run|draw|generate)|do\s+over|once\s+more|one\s+more|another|again|new\s+one|next(?:\s+one)?|"
    r"roll(?:\s+again)?|do\s+(?:it|this|that)\s+(?:over|again|once\s+more)|(?:try|draw|make|generate|run|give|go|roll|do|paint)\s+(?:me\s+)?"
    r"(?:it\s+|this\s+|that\s+)?(?:again|another|once\s+more|one\s+more|over)|same\s+again|give\s+me\s+(?:a\s+)?new\s+one)"
    r"(?:\s+(?:it|this|that|one|time|try|please|pls|with\s+(?:a\s+)?(?:new|different|other|another)\s+seed|from\s+scratch))*)"
    r"(?:\s*(?:,|but)?\s*(?:(?:make|do|give\s+me)\s+)?(?:x\s?)?([2-9]|10|two|three|four)?(?:\s*(?:x|times|of\s+(?:them|it|these)|pictures|images|more))?)$"
)
COLOUR: Final = pattern(
    rf"\b(?:re-?)?colou?r\w*\b(?!\s+(?:pencil|book))|\bb\s?(?:&|and|n|/)\s?w\b|\bblack\s*(?:and|n|&|'n'?)\s*white\b|\bgr[ea]y\s?scale\b"
    r"|\bmonochrome\b|\bsepia\b|\b(?:de)?saturat\w*|\bcontrast\w*|\bbright(?:er|en\w*|ness)\b|\bdark(?:er|en)\b|\blighter\b|\bwarmer\b"
    r"|\b(?:cooler|colder|warm|cool|cold)\s+(?:tones?|light|colou?rs?|palette)\b|\btints?\b|\bhues?\b|\btones?\b|\bvivid\b|\bpalette\b"
    rf"|\b(?:make|paint|turn|dye|want|change)\s+(?:{NOUN}?\s*[\w\s'-]{{1,30}}?\s+)(?:in\s+|into\s+|to\s+)?(?:\w+\s)?(?:{COLOURS})$"
    rf"|\b(?:should|could|must)\s+be\s+(?:\w+\s)?(?:{COLOURS})\b|\bbe\s+(?:{COLOURS})$|^{NOUN}\s+[\w\s'-]{{1,30}}?\s+(?:{COLOURS})$"
    rf"|\b(?:{COLOURS})\s+instead\b|^(?:in\s+|all\s+|more\s+|less\s+)?(?:{COLOURS})$|^replace\s+(?:the\s+)?(?:{COLOURS})\s+(?:with|by)"
)
AGAIN_BUT: Final = pattern(
    r"^(?:(?:(?:do|try|make|draw)\s+(?:it\s+|this\s+)?)?(?:again|another(?:\s+one)?|one\s+more|once\s+more)|re-?(?:roll|do|draw))"
    r"\s*,?\s*(?:but\s+|and\s+|this\s+time\s+|only\s+)(?P<rest>.+)$"
)
ORDINALS: Final = {"first": 0, "second": 1, "third": 2, "fourth": 3, "1st": 0, "2nd": 1, "3rd": 2, "4th": 3}
PICK: Final = pattern(
    rf"\b(?:the\s+)?(?P<ordinal>{'|'.join(ORDINALS)})(?:\s+(?:one|picture|image|pic))?\b(?!\s+(?:time|try|of))"
    r"|(?:\bnumber\s?|\bno\.\s?|\bpicture\s?|\bimage\s?|\bpic\s?|(?<=^vary\s)|(?<=^upscale\s)|^v(?=\d$))(?P<number>[1-9])\b(?!\s?[x.:\d])"
)
PART: Final = pattern(
    r"^(?:remove|delete|erase|get\s+rid\s+of|take\s+(?:out|off|away)|lose|drop|hide|clean\s+up|cut)\s+(?P<gone>.+)"
    r"|^take\s+(?P<away>.+?)\s+(?:out|off|away)$"
    r"|^(?:without|minus)\s+(?P<less>.+)|^no\s+(?:more\s+)?(?P<no>(?!way|one|problem|worries|idea|thanks|need|longer|i\b|it\b|you\b).+)"
    r"|^(?:replace|swap|exchange|switch)\s+(?:out\s+)?(?P<old>.+?)\s+(?:with|for|by|to)\s+(?P<new>.+)"
    r"|^(?:fix|repair|correct|redo|re-?draw|re-?do|re-?touch|in-?paint|clean|improve)\s+(?P<mend>.+)"
    rf"|^(?:put|place|add|draw|insert|include)\s+(?P<add>(?:an?|some|two|three|\d+|another|more|{NOUN}|\w+s)\s.+)"
    rf"|^give\s+(?:him|her|it|them|{NOUN}\s+\w+)\s+(?P<give>.+)"
    rf"|^change\s+(?P<was>{NOUN}\s.+?)\s+(?:to|into)\s+(?P<is>.+)"
    rf"|^make\s+(?P<size>{NOUN}\s+\w+(?:\s+\w+)?\s+(?:bigger|larger|smaller|longer|shorter|thicker|thinner|taller|wider|open|closed))$"
    r"|(?:should\s?n'?t|should not|must\s?n'?t|does\s?n'?t need to)\s+(?:have|wear|be\s+wearing)\s+(?P<not>.+)"
    r"|should\s+(?:have|wear|hold|be\s+(?:wearing|holding))\s+(?P<have>.+)|^too\s+many\s+(?P<many>.+)"
    r"|\b(?P<bad>\w+)\s+(?:is|are|looks?)\s+(?:broken|wrong|weird|messed\s+up|off|deformed)\b"
)
# what is in the whole picture is no part of it
OVERALL: Final = pattern(
    r"\b(?:look|feel(?:ing)?|vibes?|style|mood|atmosphere|touch|lighting|light|rain|snow|fog|mist|clouds?|details?|texture|drama|"
    r"depth|shadows?|sunshine|filter|effect|grain)$"
)
STRONG: Final = pattern(
    rf"^(?:make|turn|convert|transform|render|redraw|draw|paint|imagine|picture)\s+(?:{IT}|him|her|them|{NOUN}\s+\w+)\s+\w"
    r"|^(?:make|turn)\s+\w+\s+(?:into|look|more|less|smile|wear|a\s+bit|happy|sad|angry)\b|^(?:it|this|that)\s+(?:\w+er|more|less)\b"
    r"|^change\s+(?:it|this|that|the\s+\w+)\s+(?:to|into)\b|\b(?:should|could)\s+(?:be|look|have)\b|\bstyle\b|\binstead\b|^edit\b|^do\s+it\s+(?:as|in|like)\b"
    r"|^(?:the\s+)?same(?:\s+(?:thing|one|picture|image|scene))?\s+(?:but|as|in|with|at|on|only)\b|\bversion$|\blook(?:s|ing)?\s+(?:like|more|less)\b"
    r"|^(?:give|add)\b(?!\s+(?:me|us|up)\b)"
)
WEAK: Final = pattern(
    r"^(?:as|in|at|with|during|on|like(?=\s+(?:an?|in|the)\b)|under|more|less|now|but|after|before|while|inside|spookier|happier|cuter|scarier|darker|moodier)\b"
    r"(?!\s+(?:least|all|my|your|fact|general|case|you|i|me|that|this|if|is|did|was|it|how|what|why|a\s+(?:sec|minute|bit|while|meeting)|of|than|"
    r"to|then|please$|or|expected|always|usual|first|time)\b)"
    r"|^(?:cut|spook|scar|happi|sadd|old|young|mood|grittier|dark|soft|wild|weird|simpl|creepi|funni|cozi|fluffi|fanci)(?:ti)?er(?:\s+looking)?$"
    r"|^(?:night|day(?:time)?|winter|summer|autumn|fall|spring|sunset|sunrise|snow|rain)$"
)
ABOUT_PEOPLE: Final = pattern(
    r"\b(?:i|i'm|im|you|u|we|my|your|lol|haha+|lmao|omg|thanks|thank|love|sorry|wtf|imo|guess|think|dinner|work|school|meeting|opinion)\b"
)
