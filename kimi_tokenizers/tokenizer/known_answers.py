"""Known answers: texts and the ids that the published vocabulary gives for them.

The first ones were made with the reference implementation. All were made, or made again, with a plain
`tiktoken.Encoding` of the rank table by `scripts/make_known_answers.py`, which writes the table below.
"""

from __future__ import annotations

from typing import NamedTuple


class KnownAnswer(NamedTuple):
    """A text and its ids."""

    line: str  # the model line whose control tokens apply
    control: bool  # whether control tokens in the text are recognised; else they are plain text
    text: str
    ids: tuple[int, ...]


def of_line(line: str) -> list[KnownAnswer]:
    """The known answers that hold for a model line. Without control tokens all lines tokenize alike."""
    alike = {"kimi-k2.5": "kimi-k2.6"}  # these have the same control tokens
    line = alike.get(line, line)
    return [answer for answer in KNOWN_ANSWERS if not answer.control or alike.get(answer.line, answer.line) == line]


# fmt: off
KNOWN_ANSWERS: tuple[KnownAnswer, ...] = (
    KnownAnswer("kimi-k2.6", False, 'a', (64,)),
    KnownAnswer("kimi-k2.6", False, '\r\n', (462,)),
    KnownAnswer("kimi-k2.6", False, 'Hello, world!', (19180,11,2695,0)),
    KnownAnswer("kimi-k2.6", False, 'The quick brown fox jumps over the lazy dog.', (1008,5072,16331,69275,60062,1312,276,29292,7751,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "I'll say we've done what they'd want; it's John's, WE'VE SHOUTED, don'T", (65447,3637,22205,4179,1573,94696,1913,26,4643,121514,11,40893,6,4571,10245,5618,2142,11,2335,64833)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u4eba\u5de5\u667a\u80fd\u6b63\u5728\u6539\u53d8\u4e16\u754c\u3002\u6708\u4e4b\u6697\u9762\u53d1\u5e03\u4e86\u957f\u4e0a\u4e0b\u6587\u6a21\u578b\u3002', (17511,5016,135570,292,892,685,5519,696,27613,812,103560,15662,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u4f7f\u7528Python\u8c03\u7528API\u63a5\u53e3,\u6bcf\u79d2\u5904\u74061000\u4e2a\u8bf7\u6c42\u3002', (2172,19049,26458,8532,20767,11,79709,3934,1570,15,439,13694,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3002\u6f22\u5b57\u3068\u3072\u3089\u304c\u306a\u3001\u30ab\u30bf\u30ab\u30ca\u304c\u6df7\u5728\u3057\u307e\u3059\u3002', (4546,63011,4663,25875,32045,33360,292,1435,95,1855,9219,127935,16800,10389,11839,343,26121,21449,26121,42125,10389,5239,375,40086,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8\uc785\ub2c8\ub2e4. \ub744\uc5b4\uc4f0\uae30\ub3c4 \uc788\uc2b5\ub2c8\ub2e4.', (17079,54078,28763,83194,235,67178,87637,13,4782,251,226,28763,168,241,108,20883,31474,94080,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0401\u043b\u043a\u0430 \u0438 \u0451\u0436 \u2014 \u0434\u0440\u0443\u0437\u044c\u044f.', (159025,63694,11,5993,17898,0,739,223,1390,12834,5984,220,15193,7064,4275,5451,95601,57752,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5\xb7 \u1fa7 \u03c4\u03b9\u03bd\u03b9', (115528,37989,22142,22116,21495,97273,22934,111348,9554,2871,13271,122,100,162787,8711,8083)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c \u0643\u064a\u0641 \u062d\u0627\u0644\u0643\u061f \u0661\u0662\u0663\u0664', (40011,7570,4265,1063,47116,5042,52137,9683,17591,52430,15669,6974,7072,148,253,220,111991,161592,149,96,149,97)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd! \u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da?', (16838,11792,84242,33480,38252,34102,0,146689,37056,64788,65778,30)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e, \u0915\u094d\u092f\u093e \u0939\u093e\u0932 \u0939\u0948? \u0967\u0968\u0969', (11334,14915,72819,7614,31019,108729,109111,11,14447,51253,25042,38410,56213,30,220,46147,101,87200)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22\u0e44\u0e21\u0e48\u0e21\u0e35\u0e0a\u0e48\u0e2d\u0e07\u0e27\u0e48\u0e32\u0e07', (34489,31697,22124,34489,32150,25382,60472,149818,61013,28290,20811,220,133338,14959,102,13730,52791,37016,31452,52791,129769,113636,60472,19836,49552,156758,73836)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'Ch\xe0o th\u1ebf gi\u1edbi, ti\u1ebfng Vi\u1ec7t c\xf3 d\u1ea5u: \u1ed9 \u1ead \u1eef', (1663,10615,78,332,70499,15082,139558,11,24468,70499,1487,47662,69286,83,74365,304,92419,84,25,220,53155,13271,118,255,220,140591)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u0130stanbul'da \u0131\u011fd\u0131r; Stra\xdfe, \ufb01nancial, na\xefve caf\xe9", (63930,67835,12362,64,220,4712,16677,75125,26,54678,73903,11,74792,102746,77,5825,11,7915,44187,367,70591)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f3\ufe0f\u200d\U0001f308\U0001f1e8\U0001f1f3\U0001f1eb\U0001f1f7 \U0001f44d\U0001f3fd \U0001f680\U0001f30d', (64390,102,67963,64390,102,67963,64390,100,67963,64390,99,92949,111,31615,67963,5885,234,230,32166,101,32166,111,32166,104,32166,115,130732,235,92949,121,17137,40101,5885,44755)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u2211_{i=0}^{n} \u03b1_i\xb2 \u2264 \u221e \u21d2 \u2200\u03b5>0 \u2203\u03b4', (12273,239,9522,72,28,15,22344,77,92,6235,6645,39530,8008,104033,126189,11971,9554,29,15,26412,26029)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u2460\u2461\u2462 \u2163 \u216b \xbd \xbe \u3007\u4e00\u4e8c\u4e09 \uff12\uff10\uff12\uff16\u5e74', (16395,16883,20555,220,28819,96,220,28819,104,220,45953,220,112649,220,91894,160386,220,320,240,320,238,320,240,320,244,532)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u2f00\u2f01 \u3005\u4e2d\u3007 \u32a5 \u3400 \U00020000\U00020001 \u4e2d's \u4e2d'se A\u4e2dB", (158,120,222,158,120,223,220,106101,435,91894,220,159,232,98,220,159,238,222,220,172,254,222,222,172,254,222,223,220,435,1048,220,435,6,354,401,435,33)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'def f(x: int) -> int:\n    return x + 1  # \u6ce8\u91ca\n\n\nclass A:\n\tpass\n', (1166,285,3940,25,754,8,2949,754,777,274,745,1288,715,220,16,220,1214,220,53088,3898,1973,401,777,121029,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'fn main() { println!("{}", 1_000); }\n/// doc\n//! mod\n}\n/**\n */', (10964,2777,539,384,47647,28547,83871,220,16,62,1476,2340,811,5101,8272,198,24840,2318,198,896,3790,966)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "SELECT * FROM t WHERE a='it''s' AND b>=10;\r\n-- c", (12319,397,10861,258,14294,261,3286,277,9726,82,6,6870,291,12324,795,1000,344,275)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<html><body class="x">&nbsp;</body></html>\n', (63365,3318,6487,1363,878,87,59334,13504,25205,6487,4192,3909,719)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '{"a":[1,2.5e-10,null,true],"b":{"c":"\\u4e2d"}}', (8264,64,33991,16,11,17,13,20,68,12,795,54376,54595,24410,65,22849,66,7471,59,84,19,68,17,67,60336)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] todo\n  - nested\n', (91,261,950,291,4665,90730,9304,91,220,16,950,220,17,32360,12,793,6391,37770,198,220,635,31095,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'https://example.com/a/b?x=1&y=%20#frag user@host.org C:\\dir\\file.txt', (1927,1316,17480,1304,18825,3969,30,87,28,16,5,88,9458,577,2,53846,2742,31,6928,3640,396,10001,6309,59,2274,8842)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '1234567890 3.14159 100,000,000 2026-11-24 0xDEADBEEF v2.6', (6694,12972,16242,15,220,18,13,18702,6276,220,1570,11,1476,11,1476,220,2975,21,12,1228,12,1903,220,15,87,11215,1817,16638,4126,437,17,13,21)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '   leading', (256,8134)),
    KnownAnswer("kimi-k2.6", False, 'trailing   ', (523,16627,274)),
    KnownAnswer("kimi-k2.6", False, 'a  b   c    d', (64,220,291,256,275,274,304)),
    KnownAnswer("kimi-k2.6", False, '\t\t\ttabs\n\n\n\nnewlines\r\r\n', (353,5604,5609,13099,3514,11541,21036)),
    KnownAnswer("kimi-k2.6", False, 'x\xa0y\u2003z\u3000w\u200bzero\ufeffbom', (87,5406,88,64731,89,14224,86,19400,7290,31384,127883)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\x00\x01\x7f control', (188,189,221,3862)),
    KnownAnswer("kimi-k2.6", False, 'e\u0301 vs \xe9; o\u0308\u0323', (68,37484,12583,9627,26,298,136,230,136,96)),
    KnownAnswer("kimi-k2.6", False, '\'\'\'\'"""```~~~!!!???...', (116177,27335,3251,49878,20118,46518,1614)),
    KnownAnswer("kimi-k2.6", False, '}\n///a/b /\n/', (896,5101,64,3969,61695,14)),
    KnownAnswer("kimi-k2.6", False, 'camelCaseSnake_case_UPPER_CASE XMLHttpRequest iPhone', (156983,8081,32503,898,39188,163430,45020,160457,3188,1032,11868)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'don\u2019t we\u2019ll (curly)', (22676,1639,645,4749,347,3681,419,8)),
    KnownAnswer("kimi-k2.6", False, "a'S b'T c'RE d'VE e'M f'LL g'D", (64,34480,291,64833,275,6,1046,304,6,4571,350,103645,285,6,5847,365,75231)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U000e0041\U0010fffd\ue000 private', (175,254,223,223,176,237,123,121,170,222,222,2137)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\ua66e \ufdfd \U0001242b \U00013000 \U0001d518\U0001d52b\U0001d526 \U0001d7d8\U0001d7d9', (166,247,106,74792,115,121,220,172,240,238,104,220,172,241,222,222,131021,246,142435,104,142435,99,220,78484,246,87393)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|im_user|>user<|im_middle|>Hello<|im_end|><|im_assistant|>assistant<|im_middle|><think>', (163587,2482,163601,19180,163586,163588,69702,163601,163606)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|im_user|>user<|im_middle|>Hello<|im_end|><|im_assistant|>assistant<|im_middle|><think>', (27,91,348,8948,91,29,2482,27,91,348,129458,91,29,19180,27,91,348,11129,91,3318,91,348,22715,13967,91,29,69702,27,91,348,129458,91,3318,39964,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<think>reason</think>answer<|im_end|>', (163606,34876,163607,26921,163586)),
    KnownAnswer("kimi-k2.6", False, '<think>reason</think>answer<|im_end|>', (27,39964,29,34876,993,39964,29,26921,27,91,348,11129,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '[BOS][EOS][PAD][UNK][EOT]', (163584,163585,163839,163838,163593)),
    KnownAnswer("kimi-k2.6", False, '[BOS][EOS][PAD][UNK][EOT]', (72706,4110,4183,85521,4183,54904,4183,57780,4183,36,2586,60)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '[ bos ] [BOS', (58,65712,6391,793,33,4110)),
    KnownAnswer("kimi-k2.6", False, '[ bos ] [BOS', (58,65712,6391,793,33,4110)),
    KnownAnswer("kimi-k2.6", True, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>', (163602,4017,163603,163605,163604)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>', (27,91,13634,37763,91,29,4017,27,91,13634,19053,91,3318,91,13634,49974,91,3318,91,13634,11129,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|reserved_token_163600|><|reserved_token_163700|>', (163600,163700)),
    KnownAnswer("kimi-k2.6", False, '<|reserved_token_163600|><|reserved_token_163700|>', (27,91,64345,14147,62,18752,6706,91,3318,91,64345,14147,62,18752,9758,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|im_end|', (27,91,348,11129,91)),
    KnownAnswer("kimi-k2.6", False, '<|im_end|', (27,91,348,11129,91)),
    KnownAnswer("kimi-k2.6", True, '<|test|>Hello<|end|>', (27,91,3078,91,29,19180,27,91,517,91,29)),
    KnownAnswer("kimi-k2.6", False, '<|test|>Hello<|end|>', (27,91,3078,91,29,19180,27,91,517,91,29)),
    KnownAnswer("kimi-k2.6", True, 'a<|im_end|>\u4e2d<|im_end|>\n\n <|im_end|>  ', (64,163586,435,163586,382,220,163586,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'a<|im_end|>\u4e2d<|im_end|>\n\n <|im_end|>  ', (64,27,91,348,11129,91,29,435,27,91,348,11129,91,4051,22652,348,11129,91,29,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|start_header_id|>x<|end_header_id|>', (163590,87,163591)),
    KnownAnswer("kimi-k2.6", False, '<|start_header_id|>x<|end_header_id|>', (27,91,5402,16542,1885,91,29,87,27,91,517,16542,1885,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<THINK></think ></think>', (27,5346,14777,4192,39964,1677,163607)),
    KnownAnswer("kimi-k2.6", False, '<THINK></think ></think>', (27,5346,14777,4192,39964,100862,39964,29)),
    KnownAnswer("kimi-k2.6", False, '?][->.quvqx\u05f3\u05f2\u05a5\u059e\u05dd73527495\U00020078\U00020084\U000200fa\U00020071\U000200ff\U00020085s33', (30,4183,569,13,574,85,63858,147,111,147,110,146,98,146,252,34102,49460,34443,4670,172,254,223,116,172,254,224,226,172,254,225,118,172,254,223,109,172,254,225,123,172,254,224,227,82,3081)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, ">.}/<.\uf9f3\uf995\uf937\ufa3e\ufab3\uf92b\uff86\uffc7\uff43\uffc3\uff96\uff7ffmihfpwvt\u0172\u018f\u015a\U00020041''%=0ecmrjpncb\U00020075\U00020097\U00020081\U0002003c\U0002007b\U000200d65963\tmsu\u2058\u206e\u204b\u2016\u203b\u06c1\u0619\u066e\u06d6  \u05aa\u05c3\u05ab\u05dc6194", (13757,6943,27,13,171,100,111,171,99,243,171,97,115,171,101,122,171,103,111,171,97,104,171,122,228,9030,229,24576,225,9030,225,171,122,244,24576,123,24804,6175,15010,86,13498,129,110,130,237,129,248,172,254,223,223,9726,54980,15,1209,27018,37994,1589,65,172,254,223,113,172,254,224,245,172,254,224,223,172,254,222,120,172,254,223,119,172,254,225,244,52461,18,54712,84,26850,246,26850,106,26850,233,32640,55355,5948,148,247,149,106,151,244,220,44803,103,147,225,146,104,11792,40100,19)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\xc1\u0237\xed\u023f\u015bblhjdnavtopcc\u06a1\u0664\u06dc\u06c1\u0607\U0002008e\U0002006a\U0002006bfws284ttljg', (77199,132,115,3831,132,123,25582,3145,71,56533,12044,8087,827,150,94,149,97,151,250,5948,148,229,172,254,224,236,172,254,223,103,172,254,223,104,69,10485,33479,1434,43408,70)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|im_user|>user<|im_middle|>Hello<|im_end|><|im_assistant|>assistant<|im_middle|><think>', (163587,2482,163601,19180,163586,163588,69702,163601,27,39964,29)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<think>reason</think>answer<|im_end|>', (27,39964,29,34876,993,39964,29,26921,163586)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>', (27,91,13634,37763,91,29,4017,27,91,13634,19053,91,3318,91,13634,49974,91,3318,91,13634,11129,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|reserved_token_163600|><|reserved_token_163700|>', (163600,163700)),
    KnownAnswer("kimi-k2-instruct", True, '<|im_end|', (27,91,348,11129,91)),
    KnownAnswer("kimi-k2-instruct", True, '<|test|>Hello<|end|>', (27,91,3078,91,29,19180,27,91,517,91,29)),
    KnownAnswer("kimi-k2-instruct", True, 'a<|im_end|>\u4e2d<|im_end|>\n\n <|im_end|>  ', (64,163586,435,163586,382,220,163586,256)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|start_header_id|>x<|end_header_id|>', (163590,87,163591)),
    KnownAnswer("kimi-k2-instruct", True, '<THINK></think ></think>', (27,5346,14777,4192,39964,100862,39964,29)),
    KnownAnswer("kimi-k2-instruct", True, "\u04c5\u0491\u04fe\u2ec3\u2ef4rfbepfw\u2151\u216d-pjqfr'<|reserved_token_163752|>", (143,227,142,239,143,122,158,119,225,158,119,112,81,14149,1078,30923,28819,239,28819,255,3031,75523,1821,6,163752)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '*ztzxf<|reserved_token_163776|>', (54492,19186,17015,163776)),
    KnownAnswer("kimi-k2-instruct", True, '\u24bf\u24c8\u246d\u031c\xf5\u0105\u019e\u01c1\u0217\u52fagmbcnupxcozro<|reserved_token_163836|>', (58216,123,115661,230,6114,255,136,250,13613,15174,130,252,131,223,132,245,17585,70,3848,22122,771,87,5637,89,307,163836)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '', ()),
    KnownAnswer("kimi-k2.6", False, ' ', (220,)),
    KnownAnswer("kimi-k2.6", False, '  ', (256,)),
    KnownAnswer("kimi-k2.6", False, '\n', (198,)),
    KnownAnswer("kimi-k2.6", False, '\n\n', (382,)),
    KnownAnswer("kimi-k2.6", False, '\t', (197,)),
    KnownAnswer("kimi-k2.6", False, '\r', (201,)),
    KnownAnswer("kimi-k2.6", False, 'a ', (64,220)),
    KnownAnswer("kimi-k2.6", False, ' a', (261,)),
    KnownAnswer("kimi-k2.6", False, 'A', (32,)),
    KnownAnswer("kimi-k2.6", False, '0', (15,)),
    KnownAnswer("kimi-k2.6", False, '00', (465,)),
    KnownAnswer("kimi-k2.6", False, '000', (1476,)),
    KnownAnswer("kimi-k2.6", False, '0000', (1476,15)),
    KnownAnswer("kimi-k2.6", False, '1234567890', (6694,12972,16242,15)),
    KnownAnswer("kimi-k2.6", False, '\xe9', (1941,)),
    KnownAnswer("kimi-k2.6", False, '\xdf', (21277,)),
    KnownAnswer("kimi-k2.6", False, '\u4e2d', (435,)),
    KnownAnswer("kimi-k2.6", False, '\u4e2d\u4e2d\u4e2d\u4e2d', (435,435,435,435)),
    KnownAnswer("kimi-k2.6", False, '\u4eba\u5de5\u667a\u80fd\u7684\u672a\u6765', (17511,47627)),
    KnownAnswer("kimi-k2.6", False, 'zh\u4e2d\u6587mix\u6df7\u6392text', (14742,16717,38342,5239,2062,3501)),
    KnownAnswer("kimi-k2.6", False, '\u3002', (292,)),
    KnownAnswer("kimi-k2.6", False, '\uff0c\u3001\uff1b\uff1a\uff1f\uff01', (378,343,880,2648,864,856)),
    KnownAnswer("kimi-k2.6", False, '\u300c\u5f15\u7528\u300d', (6139,19796,6153)),
    KnownAnswer("kimi-k2.6", False, '\u201cquoted\u201d', (1686,79530,1207)),
    KnownAnswer("kimi-k2.6", False, '\u3007\u4e00\u4e8c\u4e09', (91894,160386)),
    KnownAnswer("kimi-k2.6", False, '\U00020bb7\u91ce\u5bb6', (172,254,106,115,4694,583)),
    KnownAnswer("kimi-k2.6", False, '\u3072\u3089\u304c\u306a', (127935,16800,10389,11839)),
    KnownAnswer("kimi-k2.6", False, '\u30ab\u30bf\u30ab\u30ca', (26121,21449,26121,42125)),
    KnownAnswer("kimi-k2.6", False, '\ud55c\uad6d\uc5b4', (17079,54078,28763)),
    KnownAnswer("kimi-k2.6", False, '\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22', (133338,14959,102,13730,52791,37016,31452)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u05e2\u05d1\u05e8\u05d9\u05ea', (18433,51589,34403)),
    KnownAnswer("kimi-k2.6", False, '\u0627\u0644\u0639\u0631\u0628\u064a\u0629', (6974,5042,26139,12441)),
    KnownAnswer("kimi-k2.6", False, '\u0939\u093f\u0928\u094d\u0926\u0940', (21232,48190,84837,10722)),
    KnownAnswer("kimi-k2.6", False, '\u0ba4\u0bae\u0bbf\u0bb4\u0bcd', (49680,52619,29855,112,11734)),
    KnownAnswer("kimi-k2.6", False, '\u10e5\u10d0\u10e0\u10d7\u10e3\u10da\u10d8', (3256,98,102721,245,44993,83878)),
    KnownAnswer("kimi-k2.6", False, '\u12a0\u121b\u122d\u129b', (33855,254,23064,249,99159,33855,249)),
    KnownAnswer("kimi-k2.6", False, '\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac', (115274,61500,14287,8711,125776)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0440\u0443\u0441\u0441\u043a\u0438\u0439', (13983,1296,32890)),
    KnownAnswer("kimi-k2.6", False, '\xdcn\xefc\xf6d\xe9', (89743,77,44187,66,5954,67,1941)),
    KnownAnswer("kimi-k2.6", False, '\uff26\uff35\uff2c\uff2c\uff57\uff49\uff44\uff54\uff48', (320,99,320,113,320,105,320,105,24576,245,24576,231,24576,226,24576,242,24576,230)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u01c5 \u01c8 \u01cb', (131,227,220,131,230,220,131,233)),
    KnownAnswer("kimi-k2.6", False, '\xaa\xba', (126115,57213)),
    KnownAnswer("kimi-k2.6", False, '\u02b0\u02b2\u02b7', (134,108,134,110,134,115)),
    KnownAnswer("kimi-k2.6", False, 'e\u0301', (68,37484)),
    KnownAnswer("kimi-k2.6", False, '\u0301', (37484,)),
    KnownAnswer("kimi-k2.6", False, 'a\u200db', (64,67963,65)),
    KnownAnswer("kimi-k2.6", False, '\ufeff', (31384,)),
    KnownAnswer("kimi-k2.6", False, '\xa0\xa0x', (5406,5406,87)),
    KnownAnswer("kimi-k2.6", False, '\u3000\u4e2d', (14224,435)),
    KnownAnswer("kimi-k2.6", False, '\U0001f600', (134750,222)),
    KnownAnswer("kimi-k2.6", False, '\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466', (64390,102,67963,64390,102,67963,64390,100,67963,64390,99)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U0001f1fa\U0001f1f3\U0001f1ef\U0001f1f5', (32166,118,32166,111,32166,107,32166,113)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U0001f44d\U0001f3fd\U0001f44d\U0001f3ff', (64390,235,92949,121,64390,235,92949,123)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u2603\ufe0e \u2708\ufe0f', (53547,225,28952,236,66700,230,31615)),
    KnownAnswer("kimi-k2.6", False, '\xbd \xb2 \u2167 \u2460', (45953,220,39530,220,28819,100,220,16395)),
    KnownAnswer("kimi-k2.6", False, '\u0663\u0664\u0665\u0666', (149,96,149,97,149,98,149,99)),
    KnownAnswer("kimi-k2.6", False, '1,234,567.89', (16,11,18697,11,31344,13,7173)),
    KnownAnswer("kimi-k2.6", False, '3.14159e-10', (18,13,18702,6276,68,12,795)),
    KnownAnswer("kimi-k2.6", False, '0xDEADBEEF', (15,87,11215,1817,16638,4126)),
    KnownAnswer("kimi-k2.6", False, '2026-05-11T12:34:56Z', (2975,21,12,4556,12,1228,51,1042,25,3587,25,6794,57)),
    KnownAnswer("kimi-k2.6", False, "don't", (88709,)),
    KnownAnswer("kimi-k2.6", False, "DON'T", (35,1034,64833)),
    KnownAnswer("kimi-k2.6", False, "it's", (64072,)),
    KnownAnswer("kimi-k2.6", False, "I'd've", (65106,7962)),
    KnownAnswer("kimi-k2.6", False, "we'll", (1352,6683)),
    KnownAnswer("kimi-k2.6", False, "y'all're", (88,120581,4746)),
    KnownAnswer("kimi-k2.6", False, "'s", (1048,)),
    KnownAnswer("kimi-k2.6", False, "x'S", (87,34480)),
    KnownAnswer("kimi-k2.6", False, "'tis", (1769,289)),
    KnownAnswer("kimi-k2.6", False, "O'Reilly", (46,6,902,21786)),
    KnownAnswer("kimi-k2.6", False, "rock'n'roll", (19297,57055,6,2508)),
    KnownAnswer("kimi-k2.6", False, '\u2019s', (824,)),
    KnownAnswer("kimi-k2.6", False, 'they\u2019re', (33766,3583)),
    KnownAnswer("kimi-k2.6", False, 'camelCase', (156983,8081)),
    KnownAnswer("kimi-k2.6", False, 'PascalCase', (47,64702,8081)),
    KnownAnswer("kimi-k2.6", False, 'snake_case', (15394,898,39188)),
    KnownAnswer("kimi-k2.6", False, 'SCREAMING_CASE', (6267,22672,2798,45020)),
    KnownAnswer("kimi-k2.6", False, 'kebab-case', (510,58689,56344)),
    KnownAnswer("kimi-k2.6", False, 'HTTPServer2', (88148,4022,17)),
    KnownAnswer("kimi-k2.6", False, 'iOS', (72,4110)),
    KnownAnswer("kimi-k2.6", False, 'x86_64', (87,4079,62,1803)),
    KnownAnswer("kimi-k2.6", False, 'i18n', (72,1428,77)),
    KnownAnswer("kimi-k2.6", False, 'McDonald', (40346,43610)),
    KnownAnswer("kimi-k2.6", False, 'def f(x):\n    return x + 1\n', (1166,285,3940,2360,274,745,1288,715,220,16,198)),
    KnownAnswer("kimi-k2.6", False, 'for (int i = 0; i < n; i++) {\n\treturn;\n}\n', (2444,347,590,1032,327,220,15,26,1032,555,326,26,1032,5898,440,1616,303,896)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<a href="#">x</a>', (14078,4649,109002,87,993,64,29)),
    KnownAnswer("kimi-k2.6", False, 'SELECT * FROM t;', (12319,397,10861,258,26)),
    KnownAnswer("kimi-k2.6", False, '{"a": [1, 2.5, null, true], "b": "c\\n"}', (8264,64,1289,793,16,11,220,17,13,20,11,1704,11,1653,2287,414,65,1289,414,66,2423,16934)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '# Title\n\n- item\n- item\n\n```py\nx\n```\n', (2,26293,382,12,2993,198,12,2993,382,3251,8374,198,87,198,11512)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '| a | b |\n|---|---|\n', (91,261,950,291,4665,90730,9304)),
    KnownAnswer("kimi-k2.6", False, '$E=mc^2$', (3,36,28,13347,61,17,3)),
    KnownAnswer("kimi-k2.6", False, 'http://example.org/a?b=c%20d#e', (3531,1316,17480,3640,18825,30,65,23789,4,577,67,2,68)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'user@example.org', (2482,31,17480,3640)),
    KnownAnswer("kimi-k2.6", False, 'C:\\Windows\\x', (34,10001,17706,1910)),
    KnownAnswer("kimi-k2.6", False, '/usr/lib/x.so.1', (29948,10968,12387,35952,13,16)),
    KnownAnswer("kimi-k2.6", False, '::1', (680,16)),
    KnownAnswer("kimi-k2.6", False, '10.0.0.1:8080', (795,13,15,13,15,13,16,25,20453,15)),
    KnownAnswer("kimi-k2.6", False, 'a/b/c', (64,3969,3712)),
    KnownAnswer("kimi-k2.6", False, '!!!', (20118,)),
    KnownAnswer("kimi-k2.6", False, '...', (1614,)),
    KnownAnswer("kimi-k2.6", False, '\u2026', (4635,)),
    KnownAnswer("kimi-k2.6", False, '--', (344,)),
    KnownAnswer("kimi-k2.6", False, '\u2014', (3442,)),
    KnownAnswer("kimi-k2.6", False, '->', (569,)),
    KnownAnswer("kimi-k2.6", False, '=>', (8900,)),
    KnownAnswer("kimi-k2.6", False, '!=', (17253,)),
    KnownAnswer("kimi-k2.6", False, '&&', (11319,)),
    KnownAnswer("kimi-k2.6", False, '||', (9640,)),
    KnownAnswer("kimi-k2.6", False, '::', (680,)),
    KnownAnswer("kimi-k2.6", False, '/**', (7717,)),
    KnownAnswer("kimi-k2.6", False, '*/', (3676,)),
    KnownAnswer("kimi-k2.6", False, '#!', (27120,)),
    KnownAnswer("kimi-k2.6", False, '<|', (27,91)),
    KnownAnswer("kimi-k2.6", False, '|>', (91,29)),
    KnownAnswer("kimi-k2.6", False, '()', (539,)),
    KnownAnswer("kimi-k2.6", False, '[]', (2950,)),
    KnownAnswer("kimi-k2.6", False, '{}', (13071,)),
    KnownAnswer("kimi-k2.6", False, '\\\\', (2946,)),
    KnownAnswer("kimi-k2.6", False, '""', (2796,)),
    KnownAnswer("kimi-k2.6", False, '   x', (256,1288)),
    KnownAnswer("kimi-k2.6", False, 'x   ', (87,274)),
    KnownAnswer("kimi-k2.6", False, 'x   y', (87,256,364)),
    KnownAnswer("kimi-k2.6", False, '\t\tx', (197,18241)),
    KnownAnswer("kimi-k2.6", False, '\n\n\nx', (3898,87)),
    KnownAnswer("kimi-k2.6", False, ' \n \n x', (24885,1288)),
    KnownAnswer("kimi-k2.6", False, 'x\r\ny\r\n', (87,462,88,462)),
    KnownAnswer("kimi-k2.6", False, 'x\n  \ny', (87,38973,88)),
    KnownAnswer("kimi-k2.6", False, '\x0b\x0c\x85\u2028\u2029', (199,200,126,227,390,101,390,102)),
    KnownAnswer("kimi-k2.6", False, '                                        ', (22625,)),
    KnownAnswer("kimi-k2.6", False, '\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n', (129737,129737,50946)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|im_end', (27,91,348,11129)),
    KnownAnswer("kimi-k2.6", False, 'im_end|>', (348,11129,91,29)),
    KnownAnswer("kimi-k2.6", False, '<|IM_END|>', (27,91,2610,15325,91,29)),
    KnownAnswer("kimi-k2.6", False, '< |im_end|>', (27,950,348,11129,91,29)),
    KnownAnswer("kimi-k2.6", False, '<think', (27,39964)),
    KnownAnswer("kimi-k2.6", False, '[BOS', (72706,4110)),
    KnownAnswer("kimi-k2.6", False, '[bos]', (38026,580,60)),
    KnownAnswer("kimi-k2.6", False, '<|reserved_token_163839|>', (27,91,64345,14147,62,18752,56284,91,29)),
    KnownAnswer("kimi-k2.6", False, '\x00', (188,)),
    KnownAnswer("kimi-k2.6", False, '\x7f', (221,)),
    KnownAnswer("kimi-k2.6", False, '\ud7ff\ue000', (169,253,123,170,222,222)),
    KnownAnswer("kimi-k2.6", False, '\U0010ffff', (176,237,123,123)),
    KnownAnswer("kimi-k2.6", False, '\ufffd', (9618,)),
    KnownAnswer("kimi-k2.6", False, '\xad', (10028,)),
    KnownAnswer("kimi-k2.6", False, '\u202etxet\u202c', (390,106,4994,305,390,105)),
    KnownAnswer("kimi-k2.6", False, '\ufb01\ufb02', (171,102746,171,105,224)),
    KnownAnswer("kimi-k2.6", False, '\ufdfa', (171,115,118)),
    KnownAnswer("kimi-k2.6", False, '\u337f', (159,235,123)),
    KnownAnswer("kimi-k2.6", False, '\ua9c1\ua9c2', (166,100,223,166,100,224)),
    KnownAnswer("kimi-k2.6", False, '\U0001d56c\U0001d587\U0001d588', (11889,243,105,11889,244,229,11889,244,230)),
    KnownAnswer("kimi-k2.6", False, '\U0001f130\U0001f131', (5885,226,108,5885,226,109)),
    KnownAnswer("kimi-k2.6", True, '<|im_user|>user<|im_middle|>Hi \u4f60\u597d<|im_end|><|im_assistant|>assistant<|im_middle|><think>Hm.</think>Hello!<|im_end|>', (163587,2482,163601,18699,220,33845,163586,163588,69702,163601,163606,163358,13,163607,19180,0,163586)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|im_system|>system<|im_middle|>You are Kimi.<|im_end|>[EOS]', (163594,14062,163601,3900,554,24980,72,13,163586,163585)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>', (163595,163597,41937,1654,25,15,163598,13071,163599,163596)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>\n', (163602,4017,163603,163605,163604,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, ' <|im_end|> <|im_end|>\n\n<|im_end|>', (220,163586,220,163586,382,163586)),
    KnownAnswer("kimi-k2.6", True, '<|reserved_token_163589|><|reserved_token_163700|>[UNK][PAD][BOS][EOT]', (163589,163700,163838,163839,163584,163593)),  # noqa: E501
    KnownAnswer("kimi-k2-thinking", True, '<|im_user|>user<|im_middle|>Hi \u4f60\u597d<|im_end|><|im_assistant|>assistant<|im_middle|><think>Hm.</think>Hello!<|im_end|>', (163587,2482,163601,18699,220,33845,163586,163588,69702,163601,163606,163358,13,163607,19180,0,163586)),  # noqa: E501
    KnownAnswer("kimi-k2-thinking", True, '<|im_system|>system<|im_middle|>You are Kimi.<|im_end|>[EOS]', (163594,14062,163601,3900,554,24980,72,13,163586,163585)),  # noqa: E501
    KnownAnswer("kimi-k2-thinking", True, '<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>', (163595,163597,41937,1654,25,15,163598,13071,163599,163596)),  # noqa: E501
    KnownAnswer("kimi-k2-thinking", True, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>\n', (27,91,13634,37763,91,29,4017,27,91,13634,19053,91,3318,91,13634,49974,91,3318,91,13634,11129,91,719)),  # noqa: E501
    KnownAnswer("kimi-k2-thinking", True, ' <|im_end|> <|im_end|>\n\n<|im_end|>', (220,163586,220,163586,382,163586)),
    KnownAnswer("kimi-k2-thinking", True, '<|reserved_token_163589|><|reserved_token_163700|>[UNK][PAD][BOS][EOT]', (163589,163700,163838,163839,163584,163593)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|im_user|>user<|im_middle|>Hi \u4f60\u597d<|im_end|><|im_assistant|>assistant<|im_middle|><think>Hm.</think>Hello!<|im_end|>', (163587,2482,163601,18699,220,33845,163586,163588,69702,163601,27,39964,104724,76,6278,39964,29,19180,0,163586)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|im_system|>system<|im_middle|>You are Kimi.<|im_end|>[EOS]', (163594,14062,163601,3900,554,24980,72,13,163586,163585)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>', (163595,163597,41937,1654,25,15,163598,13071,163599,163596)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>\n', (27,91,13634,37763,91,29,4017,27,91,13634,19053,91,3318,91,13634,49974,91,3318,91,13634,11129,91,719)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, ' <|im_end|> <|im_end|>\n\n<|im_end|>', (220,163586,220,163586,382,163586)),
    KnownAnswer("kimi-k2-instruct", True, '<|reserved_token_163589|><|reserved_token_163700|>[UNK][PAD][BOS][EOT]', (163589,163700,163838,163839,163584,163593)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\x08\x0c\x1f\x18\x16\x18\x13\x161$*,*- 77<>1BLBFKaQTWegfcag v~\x7fpwt's", (196,200,219,212,210,212,207,210,16,3,16626,112983,220,5092,23833,16,14021,23709,83680,41895,54,1534,9031,393,437,93,221,79,17569,1048)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u0434</think></think></think><|reserved_token_163709|></think>\xdf  \u01c5\u30fc\u3000', (2276,163607,163607,163607,163709,163607,21277,220,220,131,227,5678,14224)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\n\n\n\n\n\n\n's\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c", (13099,3898,1048,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u4eba\u5de5\u667a\u80fd's\u03ba\u03cc\u03c3\u03bc\u03b5'\u03ba\u03cc\u03c3\u03bc\u03b5'\u017f", (17511,1048,15917,22934,111348,9554,6,15917,22934,111348,9554,6,129,123)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '149 \U0001d7d8\U0001d7d9\U0001d7d9\U0001d7d9\U0001d7d8\U0001d7da\U0001d7db\U0001d7db\U0001d7db\U0001d7da\U0001d7dbx\U0001d7d8\U0001d7d8\U0001d7da \U0001d7d9\U0001d7da\U0001d7d8\U0001d7db\U0001d7d8\U0001d7db\U0001d7d8x', (20198,220,78484,246,87393,87393,87393,78484,246,78484,248,78484,249,78484,249,78484,249,78484,248,78484,249,87,78484,246,78484,246,78484,248,220,87393,78484,248,78484,246,78484,249,78484,246,78484,249,78484,246,87)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u0301, \u30ab\u30bf\u30ab\u30ca  \ud55c\uad6d\uc5b4  \uac01\u3002{"a":[1,2.5e3]}, null,-user@example.org  null,\u3000null,\n"key":\n\n    "key":-', (37484,11,220,26121,21449,26121,42125,220,78560,54078,28763,220,126374,292,8264,64,33991,16,11,17,13,20,68,18,76854,1704,9422,2482,31,17480,3640,220,1704,11,14224,6562,422,1,1319,1289,382,274,414,1319,1289,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|reserved_token_1637', (27,91,64345,14147,62,18752,22)),
    KnownAnswer("kimi-k2.6", True, '\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301', (37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484,37484)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\x86\x8a\x91\x9d\x9f1\xaa\xa8\xa0\xac\xa4-\xb9\xb1\xc7\xcd\xc6 \xd2\xda\xd9\u4e2d\xe2\xea\n\xf6\xf0\u4e2d', (126,228,126,232,126,239,104186,126,253,16,126115,126,101,5406,98588,148291,12,33370,57495,93579,123744,127,228,3648,240,114739,127,247,435,13036,10302,198,5954,24625,435)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u8c48 \u8c48 \u0301\na\u0323\u0302\n\n    \U0001f600,  <think> <|reserved_token_163748|> \u2708\ufe0f, \u0301\na\u0323\u0302\n\n    \U0001f1fa\U0001f1f3\u4f60\u597d \u3007  \u3005\u3002', (1353,230,220,1353,230,220,37484,198,64,136,96,136,224,382,274,70005,222,11,220,555,39964,29,22652,64345,14147,62,18752,33898,91,29,66700,230,31615,11,220,37484,198,64,136,96,136,224,382,274,67496,118,32166,111,33845,220,91894,220,220,106101,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\n\xa0\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t', (198,5406,126873,126873,126873,126873,44697,63052)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "na\xefve'll \u3005'll \u0434\u0440\u0443\u0437\u044c\u044f'll \u0401\u043b\u043a\u0430're\u4e2d", (4768,44187,367,6683,220,106101,6683,5451,95601,57752,6683,739,223,1390,12834,4746,435)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U0001d7db\U0001d7db\U0001d7db\U0001d7da\U0001d7dbx\U0001d7d9\U0001d7d9\U0001d7db\U0001d7d9\U0001d7da\U0001d7d8\U0001d7da-\uff11\uff19\uff14\uff14\uff18\uff12\uff18\uff13\uff19\uff16\uff13 034.', (78484,249,78484,249,78484,249,78484,248,78484,249,87,87393,87393,78484,249,87393,78484,248,78484,246,78484,248,12,320,239,320,247,320,242,320,242,320,246,320,240,320,246,320,241,320,247,320,244,320,241,220,25983,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0b95\u0bcd\u0bb7, \u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea \u2603\ufe0e \u0301', (47698,15467,115,11,33480,146,110,15955,143739,9778,146,112,34403,96150,225,28952,236,220,37484)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'a_163718|>\n', (64,62,18752,44398,91,719)),
    KnownAnswer("kimi-k2.6", False, '\u043c\u0438\u0440\u3000\u043c\u0438\u0440, \ud55c\uad6d\uc5b4-\ud55c\uad6d\uc5b4\u3000http://example.org/a?b=c%20d\u3002{"a":[1,2.5e3]}\nnull,-http://example.org/a?b=c%20d\nuser@example.org-user@example.org  ', (2490,17898,14224,2490,17898,11,78560,54078,28763,12,17079,54078,28763,14224,3531,1316,17480,3640,18825,30,65,23789,4,577,67,292,8264,64,33991,16,11,17,13,20,68,18,73907,6562,9422,3531,1316,17480,3640,18825,30,65,23789,4,577,67,198,2482,31,17480,3640,22312,31,17480,3640,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u010b\u010c\u4e2d\u0114\u011f\u011b\u0119\u0115\u0113a\u012c\u0125\u0126's\u013f\u013e\u0133\u013ba\u014a\u014e\u0146\u014e\u0143\u014b\u015d\u0151\u01571\u0160\u016d\u0165's\u0179\u0172\u017d\u0175-", (128,233,100872,435,128,242,16677,17449,19066,49046,20229,64,128,105,128,98,128,99,1048,128,123,49133,128,111,128,119,64,129,232,129,236,56408,129,236,129,225,129,233,129,251,21427,129,245,16,95234,72795,34279,1048,129,117,129,110,123857,129,113,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u01c5  Stra\xdfe\u3000a\u0323\u0302 <|end_header_id|><|end_header_id|><|end_header_id|><|reserved_token_163691|><|end_header_id|>[]#!, na\xef', (131,227,220,54678,73903,14224,64,136,96,136,224,220,163591,163591,163591,163691,163591,2950,27120,11,7915,44187)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "   \xa0!\t\t\t\t\t\t\t))\r\n\x0c!  \t's       \r1\r\n\r\n\r\n\r\n\r\n\r\n\r\n!", (274,5406,0,4527,197,16617,200,0,256,197,1048,337,201,16,65762,24745,0)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u03c3\u03c2'reof'LL1", (13394,12601,4746,1587,6,5847,16)),
    KnownAnswer("kimi-k2.6", True, '10,', (795,11)),
    KnownAnswer("kimi-k2.6", True, '\u0e44\u0e17\u0e22\u0e17\u0e35\u0e48 \u05e9\u05dc\u05d5\u05dd\n\u0e81\u0ecd\u3000\u0939\u093f\u0928\u094d\u0926\u0940 \u03ba\u03cc\u03c3\u03bc\u03b5-\u0391\u0392\u0393\u03ba\u03cc\u03c3\u03bc\u03b5\u3000', (52791,37016,31452,76529,37056,84242,198,13286,223,39022,235,14224,21232,48190,84837,10722,22656,22934,111348,9554,12,124747,138,240,115528,15917,22934,111348,9554,14224)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, ' <|reserved_token_163812|>|>|>', (220,163812,91,59040,29)),
    KnownAnswer("kimi-k2.6", True, '0x1F */-\u3007\u3002\u4e16\u754c, \u4f60\u597d\n\n    \u3007\n\U00020000\U0002a6d6\u3000\u3005\u3005', (15,87,16,37,966,12,91894,292,2243,11,220,33845,382,274,220,91894,198,172,254,222,222,172,103,249,244,14224,106101,106101)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u0185\u0187\u0183\u0193\u019a\u0198\u019d\n\u01a3\u01a9\u01a4\u01a4\u01a7\u01a1\u4e2d\u01b2\u01b0\u01b9\u01b3\u01b9\u01b61\u01ce\u01c0\u01c4\u01ce\u01cf\u01ca-\u01d6\u01dd\u01d8\u01d2\u01d1 \u01e4\u01ea\u01e4\u01ee\u01e7\u01e9\u4e2d\u01fa\u01fb\u01fb\u01f9\u01f5's", (130,227,130,229,130,225,130,241,130,248,130,246,130,251,198,130,96,130,102,130,97,130,97,130,100,133235,435,130,110,47766,130,117,130,111,130,117,130,114,16,131,236,131,222,131,226,131,236,131,237,131,232,12,131,244,131,251,131,246,131,240,131,239,220,131,97,131,103,131,97,131,106,131,100,131,102,435,131,118,131,119,131,119,131,117,131,113,1048)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\uff76\uff85\u3002the\u3000na\xefve\u3000\u0130stanbul\n\u30ab\u30bf\u30ab\u30ca<|im_assistant|><|reserved_token_163772|>n', (24576,114,171,122,227,292,2108,14224,4768,44187,367,14224,63930,67835,198,26121,21449,26121,42125,27,91,348,22715,13967,91,3318,91,64345,14147,62,18752,44298,91,29,77)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u205f\u205f\xe9\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t's", (26850,253,26850,253,1941,78703,197,1048)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u4eba\u5de5\u667a\u80fd't \u1fb3''s \u0456' \u0434\u0440\u0443\u0437\u044c\u044f'dT", (17511,1769,13271,122,111,9726,82,16451,6,5451,95601,57752,12362,51)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0663\u0660\u0661\u0660 \u0661\u0666\u0661\u0660x\U0001d7da\U0001d7da\U0001d7db\U0001d7d9\U0001d7db\U0001d7db\U0001d7da\U0001d7db\U0001d7d8,\U0001d7d8\U0001d7d9\U0001d7db\U0001d7d8\U0001d7db\U0001d7db\U0001d7d8\U0001d7d9\U0001d7d8 \u0968\u096d\u096f\u0969\u096d\u0969\u096e\u0968\u0969\u096d\u096a,', (149,96,122674,111991,122674,220,111991,149,99,111991,122674,87,78484,248,78484,248,78484,249,87393,78484,249,78484,249,78484,248,78484,249,78484,246,11,78484,246,87393,78484,249,78484,246,78484,249,78484,249,78484,246,87393,78484,246,220,62886,105315,106456,87200,105315,87200,109754,62886,87200,105315,99123,11)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0939\u093f\u0928\u094d\u0926\u0940 ', (21232,48190,84837,10722,220)),
    KnownAnswer("kimi-k2.6", False, '<|reserved_token_163703|>|>\n', (27,91,64345,14147,62,18752,42081,91,59040,719)),
    KnownAnswer("kimi-k2.6", False, 'user@example.org \U00020000\U0002a6d6\u4eba\u5de5\u667a\u80fd\n\n    \u4eba\u5de5\u667a\u80fd\u3002', (2482,31,17480,3640,220,172,254,222,222,172,103,249,244,17511,382,274,220,17511,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u020a\u0201\u0204\u020c\u020f\u4e2d\u021b\u021d\u021e\u021b\u021c1\u0223\u02201\u0232's\u0253\u025ca\u0262\u02661\u027b\u027b\u0274\u0279\u0274\u0277 ", (132,232,132,223,132,226,132,234,132,237,435,21804,132,251,132,252,21804,132,250,16,132,96,132,254,16,132,110,1048,133,241,133,250,64,133,95,133,99,16,133,119,133,119,133,112,133,117,133,112,133,115,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u041f\u0420\u0418\u0412\u0415\u0422-\u041f\u0420\u0418\u0412\u0415\u0422 \u043c\u0438\u0440\u3000\u0434\u0440\u0443\u0437\u044c\u044f\u3002\u043c<|im_end|><|reserved_token_163708|>\u0391\u0392\u0393 \u03ba\u03cc\u03c3\u03bc\u03b5 \u03ba\u03cc\u03c3\u03bc', (14374,22559,26506,18808,47317,25259,146701,22559,26506,18808,47317,25259,5993,17898,14224,2276,95601,57752,292,2490,163586,163708,124747,138,240,115528,22656,22934,111348,9554,22656,22934,111348)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r's\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t", (47864,47864,47864,47864,47864,47864,47864,47864,1048,126873,126873,126873,126873,63052)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u0391\u0392\u0393'Ve \u03ba\u03cc\u03c3\u03bc\u03b5\u2019sT", (124747,138,240,115528,6,62781,22656,22934,111348,9554,824,51)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\xb2\u2473\u2163\u3007x', (39530,6114,111,28819,96,91894,87)),
    KnownAnswer("kimi-k2.6", True, 'and  \u0131I, of\n\u2708\ufe0f \U0001f600 \u2603\ufe0e \U0001f600 \U0001f469\u200d\U0001f469\u200d\U0001f467, /* \u0434\u0440\u0443\u0437\u044c\u044f\u3002\u0434\u0440\u0443\u0437\u044c\u044f, \u041f\u0420\u0418\u0412\u0415\u0422-', (516,220,220,4712,40,11,318,198,62769,230,31615,70005,222,96150,225,28952,236,70005,222,130732,102,67963,64390,102,67963,64390,100,11,2216,5451,95601,57752,292,2276,95601,57752,11,12872,22559,26506,18808,47317,25259,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|<|reserved_token_163760|>', (27,91,163760)),
    KnownAnswer("kimi-k2.6", True, '\u1019\u103c\u1014\u103a\u1019\u102c \u0627\u0644\u0633\u0651\u0644\u0627\u0645\n\u30fc-\u3072\u3089\u304c\u306a  \u6f22\u5b57\u3068\u304b\u306a\u3000http://example.org/a?b=c%20d, user@example.org\nuser@example.org-"key":\n\n    \u0130stanbul, \u0130stanbul ', (1241,52364,144177,9624,33772,36273,55588,198,5678,12,127935,16800,10389,11839,220,220,1435,95,1855,9219,15593,11839,14224,3531,1316,17480,3640,18825,30,65,23789,4,577,67,11,2742,31,17480,3640,198,2482,31,17480,3640,17826,1319,1289,382,274,41922,67835,11,41922,67835,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u028b\u0284\u0283\u0280\u0283's\u0293\u029b\u0295\u0293's\u02a6\u02a0\u02a4\u02b7\u02b8\u02b8\u02b0\u02bc\u02b01\u02c6\u02ca\u02c8\u02cf\u02cc\u02c2 \u02d2\u02d4\u02dd\u02d01\u02e6\u02e5\n", (134,233,134,226,134,225,134,222,134,225,1048,134,241,134,249,134,243,134,241,1048,134,99,134,254,134,97,134,115,134,116,134,116,134,108,37051,134,108,16,135,228,135,232,161232,135,237,135,234,135,224,220,135,240,135,242,135,251,135,238,16,135,99,135,98,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'x+=1;\n/*-#! i18n /* <|im_middle|><|reserved_token_163746|>\u3280 user@exa', (87,17283,16,303,1700,12,27120,1032,1428,77,2216,22652,348,129458,91,3318,91,64345,14147,62,18752,54013,91,29,159,232,222,2742,31,471,64)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\n\n\n\n\n\n\n\u0301\u3000\u30001', (13099,3898,37484,14224,14224,16)),
    KnownAnswer("kimi-k2.6", False, "\u1fb3'Tand'm\u03c3\u03c2't\u041f\u0420\u0418\u0412\u0415\u0422'RE\u4e16\u754c\u2019s", (157,122,111,64833,516,14404,13394,12601,1769,14374,22559,26506,18808,47317,25259,6,1046,2243,824)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U0001d7da\U0001d7d8\U0001d7d9\U0001d7da\U0001d7da\U0001d7db\U0001d7da\U0001d7d8\U0001d7db\U0001d7db\U0001d7db-', (78484,248,78484,246,87393,78484,248,78484,248,78484,249,78484,248,78484,246,78484,249,78484,249,78484,249,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0e44\u0e17\u0e22\u0e17\u0e35\u0e48 \u0391\u0392\u0393 \u1fb3\u3000\u03ba\u03cc\u03c3\u03bc\u03b5\u3002\u03ba\u03cc\u03c3\u03bc\u03b5\u3002\u0391\u0392\u0393\n\n    ', (52791,37016,31452,76529,82394,138,240,115528,13271,122,111,14224,15917,22934,111348,9554,292,15917,22934,111348,9554,292,124747,138,240,115528,382,257)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, ' <|reserve d_token_163798|>\n', (22652,64231,304,14147,62,18752,50634,91,719)),
    KnownAnswer("kimi-k2.6", False, '</div>\n</div>\u4eba\u5de5\u667a\u80fd \u3280\n\u3005\u3002\u3005\u3002\u8c48 \U00020000\U0002a6d6, ', (993,2611,719,993,2611,29,17511,220,159,232,222,198,106101,292,106101,292,1353,230,220,172,254,222,222,172,103,249,244,11,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u030f\u0309\u0304a\u0314\u0316\u03111\u0327\u0321\u032a\u0322\u0321\u0323\u0334\u0330\u0336\u0333\u0343\u034f\u0346\u0344\n\u036d\u036f\u0362\u0362\u0363\u0362's-", (136,237,136,231,136,226,64,136,242,136,244,136,239,16,136,100,136,94,136,103,136,95,136,94,136,96,136,112,136,108,136,114,136,111,137,225,68828,137,228,137,226,198,137,255,137,107,137,95,137,95,137,96,137,95,1048,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '"key":\u3000http://example.org/a?b=<|im_system|><|reserved_token_163771|>!', (1,1319,1289,14224,3531,1316,17480,3640,18825,30,65,28,163594,163771,0)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\u205f\x0b!', (26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,26850,253,199,0)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u3005\u2019s1', (106101,824,16)),
    KnownAnswer("kimi-k2.6", True, '\xb3\xb2\xb9\u2163x\U0001d7db\U0001d7db\U0001d7db\U0001d7db\U0001d7db\U0001d7da\U0001d7db\U0001d7d8\U0001d7db,\U0001d7d9\U0001d7d9\U0001d7db\U0001d7da\U0001d7da\U0001d7d9\U0001d7da\U0001d7db\U0001d7da\U0001d7d9', (103539,39530,33370,28819,96,87,78484,249,78484,249,78484,249,78484,249,78484,249,78484,248,78484,249,78484,246,78484,249,11,87393,87393,78484,249,78484,248,78484,248,87393,78484,248,78484,249,78484,248,87393)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea-\u0939\u093f\u0928\u094d\u0926\u0940', (18433,146,110,15955,143739,9778,146,112,34403,12,21232,48190,84837,10722)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|reserved_token_163837|>|>|>', (163837,91,59040,29)),
    KnownAnswer("kimi-k2.6", True, '\U0001f469\u200d\U0001f469\u200d\U0001f467-\U0001f44d\U0001f3fd \U0001f600, "key":-null,-{"a":[1,2.5e3]}\xdf\xdcn\xefcode \u0e81\u0ecd\u3000\u05e9\u05dc\u05d5\u05dd\u3002\u0939\u093f\u0928\u094d\u0926\u0940 ', (64390,102,67963,64390,102,67963,64390,100,12,64390,235,92949,121,70005,222,11,414,1319,1289,12,6562,9422,8264,64,33991,16,11,17,13,20,68,18,24216,21277,89743,77,44187,2431,124957,223,39022,235,14224,16838,11792,84242,292,21232,48190,84837,10722,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u038f\u0388\u038f1\u0391\u039f\u0391\u03a0\u03a5\u03a6\u03af\n\u03b6\u03b3\u03b8\u03b0\u03b6\n\u03c7\u03c6\u4e2d\u03d1\u03d9\u03de\u03d2\u03d2\u03d2's\u03e7\u03ed\u03ed\u03ec \u03f3\u4e2d", (138,237,138,230,138,237,16,124747,156987,124747,88616,138,98,138,99,17717,198,62461,20942,29697,138,108,62461,198,32417,27004,435,139,239,139,247,139,252,139,240,139,240,139,240,1048,139,100,139,255,139,255,139,105,7077,111,435)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'x\xb2\u3002[]\n\u0645<|im_user|><|im_user|><|im_user|><|reserved_token_163807|><|im_user|>\u3280\u3002!=-', (87,39530,11330,1641,2037,27,91,348,8948,91,3318,91,348,8948,91,3318,91,348,8948,91,3318,91,64345,14147,62,18752,43834,91,3318,91,348,8948,91,29,159,232,222,292,17253,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\n\n\n\u2028a\u2000\u2000a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n', (3898,390,101,64,390,222,390,222,64,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762,65762)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u8c48'vena\xefve'LLthe''s\ufb01n're\xe9", (1353,230,6,1439,64,44187,367,6,5847,2108,9726,82,171,102746,77,4746,1941)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U0001d7d8\U0001d7db\U0001d7da\U0001d7d9\U0001d7d9\U0001d7db\U0001d7db\U0001d7da\U0001d7d8\U0001d7db\U0001d7d8 ', (78484,246,78484,249,78484,248,87393,87393,78484,249,78484,249,78484,248,78484,246,78484,249,78484,246,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0401\u043b\u043a\u0430  \u043c\u0438\u0440\n\u0457\u0401\u043b\u043a\u0430, \u041f\u0420\u0418\u0412\u0415\u0422 \u043c\u0438\u0440\n\n    \u0645\u0631\u062d\u0628\u0627-\u0939\u093f\u0928\u094d\u0926\u0940\u3000\u0645\u0631\u062d\u0628\u0627\n\u0b95\u0bcd\u0bb7\u0b95\u0bcd\u0bb7\u3000', (140,223,1390,12834,220,5993,17898,198,14450,140,223,1390,12834,11,12872,22559,26506,18808,47317,25259,5993,17898,382,274,61561,7570,4265,1063,12,21232,48190,84837,10722,14224,40011,7570,4265,1063,198,47698,15467,115,47698,15467,115,14224)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, ' oken_163816|>', (298,5279,62,18752,41662,91,29)),
    KnownAnswer("kimi-k2.6", False, '\u1fb3\u3000\u1fb3-\u1fb3-\u4e16\u754c\u3000\u0b95\u0bcd\u0bb7  \u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea\u3002\u1019\u103c\u1014\u103a\u1019\u102c', (157,122,111,14224,157,122,111,12,157,122,111,12,2243,14224,47698,15467,115,220,33480,146,110,15955,143739,9778,146,112,34403,292,1241,52364,144177,9624)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u0401\u0407\u040b\u0405\u0400\n\u0413\u0414\u0418-\u0423\u042c\u0429\u042a\u042d1\u043b\u0436\u0435-\u0449\u0444-\u0459\u0452\u045b\u0452\u0458\u4e2d\u046e\u0461\u046d\u046d\u046f1\u0471\u0479\u0475\u0473\u0473\u047ea', (140,223,140,229,140,233,140,227,140,222,198,34202,24924,26506,12,33535,140,105,140,102,140,103,69148,16,1390,37991,12,11682,7630,12,45255,141,240,141,249,141,240,22747,435,141,106,141,94,141,255,141,255,141,107,16,141,109,141,117,141,113,141,111,141,111,141,122,64)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u0434\u0440\u0443\u0437\u044c\u044f\u3002\u1019\u103c\u1014\u103a\u1019\u102c <|media_begin|> <|reserved_token_163620|> user@exampl', (2276,95601,57752,292,1241,52364,144177,9624,220,163602,220,163620,2742,31,471,11936)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\t\t\x0c))\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t', (353,200,8773,129737,129737,66225,126873,126873,126873,5715,28160)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u03ba\u03cc\u03c3\u03bc\u03b5'll\u4e2d", (15917,22934,111348,9554,6683,435)),
    KnownAnswer("kimi-k2.6", True, '\xbe\u2460\u3007\xb2\xbd\u2473\xbe\u3007\xbd\xbe,\uff18\uff17\uff12\uff15\uff10\uff19\uff10\uff13\u096d\u096a\u096c\u0967\u0966', (112649,16395,91894,39530,45953,6114,111,112649,91894,45953,112649,11,320,246,320,245,320,240,320,243,320,238,320,247,320,238,320,241,105315,99123,98913,35470,66858)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, 'user@example.org\n\u30ab\u30bf\u30ab\u30ca\n\u0391\u0392\u0393\u3002\u1fb3-\u03ba\u03cc\u03c3\u03bc\u03b5 \u03ba\u03cc\u03c3\u03bc\u03b5\u3000\u1fb3 \u1fb3\n\n    \u1fb3\n\n    \u0391\u0392\u0393\u0391\u0392\u0393\u30fc\u3002', (2482,31,17480,3640,198,26121,21449,26121,42125,198,124747,138,240,115528,292,157,122,111,12,15917,22934,111348,9554,22656,22934,111348,9554,14224,157,122,111,13271,122,111,382,274,13271,122,111,382,274,82394,138,240,115528,124747,138,240,115528,5678,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|rved_token_163725|>|>', (27,91,81,3173,14147,62,18752,46694,91,59040,29)),
    KnownAnswer("kimi-k2.6", True, '\u3072\u3089\u304c\u306a\u3000{"a":[1,2.5e3]}-"key": user@example.org\u0434\u0440\u0443\u0437\u044c\u044f \u043c\u0438\u0440\n\u0457\u30ab\u30bf\u30ab\u30ca \u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea  \u1019\u103c\u1014\u103a\u1019\u102c \u0645\u0631\u062d\u0628\u0627\u3002', (127935,16800,10389,11839,14224,8264,64,33991,16,11,17,13,20,68,18,24216,17826,1319,1289,2742,31,17480,3640,2276,95601,57752,5993,17898,198,14450,26121,21449,26121,42125,33480,146,110,15955,143739,9778,146,112,34403,220,102081,144177,9624,61561,7570,4265,1063,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u048b\u0480\u0497\u049d\u0498\u0490\u0499\n\u04a2\u04aa\u04af\u04b5\u04be\u04b2\u04b1\u04ba\u4e2d\u04c2\u04c7a\u04dd\u04d1\u04d1\u04da\u04e5\u04e3\u04e0a\u04f3 ', (142,233,142,222,142,245,142,251,142,246,142,238,38381,198,142,95,142,103,11306,142,113,142,122,142,110,21880,142,118,435,143,224,143,229,64,143,251,143,239,143,239,143,248,143,98,40647,143,254,64,143,111,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\xdcn\xefcod<|media_content|><|media_content|><|media_content|><|reserved_token_163738|><|media_content|>\u0391\u0392\u0393, \u03c3\u03c2\n\u03ba\u03cc\u03c3\u03bc\u03b5\u3002', (89743,77,44187,43922,27,91,13634,19053,91,3318,91,13634,19053,91,3318,91,13634,19053,91,3318,91,64345,14147,62,18752,53911,91,3318,91,13634,19053,91,29,124747,138,240,115528,11,22116,12601,198,15917,22934,111348,9554,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "                ))       \n\u4e2d\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\x1c\xe9\r\n\u200a's\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\x851 ", (702,47050,47780,435,78703,197,216,1941,462,61057,1048,65762,65762,65762,65762,126,227,16,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u0434\u0440\u0443\u0437\u044c\u044f're \u01c5'm Stra\xdfe're \u01c5\u2019sx", (2276,95601,57752,4746,220,131,227,14404,54678,73903,4746,220,131,227,824,87)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0664\u0666\u0664\u0667\u0667\u0663\u0666\u0664\u0664\u0663-55674765.', (149,97,149,99,149,97,149,100,149,100,149,96,149,99,149,97,149,97,149,96,12,43577,44107,4268,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u3005\u3000\U00020000\U0002a6d6 {"a":[1,2.5e3]}-user@example.org  null,, Stra\xdfe \u0131I\u3002\ufb01n\n\n    \u02b0, na\xefve\u3002Stra\xdfe-\u1e9e\u3002', (106101,14224,172,254,222,222,172,103,249,244,9392,64,33991,16,11,17,13,20,68,18,60,20010,2482,31,17480,3640,220,1704,38259,54678,73903,220,4712,40,292,171,102746,77,382,274,220,134,108,11,7915,44187,367,292,129630,73903,12,16032,252,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|rved_token_163626|>x', (27,91,81,3173,14147,62,18752,40669,91,29,87)),
    KnownAnswer("kimi-k2.6", False, '\U00020000\U0002a6d6  ', (172,254,222,222,172,103,249,244,256)),
    KnownAnswer("kimi-k2.6", True, '\u0500\u0504\u0502\u0502\u050f\u050c-aa\u0535\u053b \u0544\u054a\u054d\u0541\u054d\u054d\n\u055f\u055b-\u056e\u056e-\u0579\u0572\n', (144,222,144,226,144,224,144,224,144,237,144,234,12,7028,144,113,144,119,102808,145,232,145,235,145,223,145,235,145,235,198,145,253,145,249,12,145,106,145,106,12,113611,99719,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, 'h\n<|media_end|>\n<|reserved_token_163801|>\n\U0001f1fa\U0001f1f3\u0627\u0644\u0633\u0651\u0644\u0627\u0645\u3002\u0457', (71,198,163604,198,163801,198,32166,118,32166,111,6974,3471,36273,55588,292,14450)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\u2029\xe9', (65762,65762,65762,65762,390,102,1941)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u3005're\u0391\u0392\u0393'S\u043c\u0438\u0440've\u03c3\u03c2'LLx", (106101,4746,124747,138,240,115528,34480,2490,17898,7962,13394,12601,6,5847,87)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\U0001d7da\U0001d7da\U0001d7d9x\uff16\uff18\uff17\uff13\uff11\uff12\uff10\uff15\uff19x4892895-', (78484,248,78484,248,87393,87,320,244,320,246,320,245,320,241,320,239,320,240,320,238,320,243,320,247,87,46275,34709,20,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u1fb3\u1fb3\u3002\\n\u3000\u0627\u0644\u0633\u0651\u0644\u0627\u0645 na\xefve  ', (157,122,111,157,122,111,113433,77,14224,6974,3471,36273,55588,7915,44187,367,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|<|reserved_token_163792| >', (27,37045,91,64345,14147,62,18752,51238,91,1677)),
    KnownAnswer("kimi-k2.6", True, '{"a":[1,2.5e3]}  \u01c5  ', (8264,64,33991,16,11,17,13,20,68,18,24216,220,220,131,227,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u0584\u0582\u0589\u0580\u0587\u4e2d\u059d\u059a \u05a5\u05ae\u05ae\u05a0\u05a6\u4e2d\u05b5\u05bb\u05b7\u05b2\u05b9\u05bd\u05c4's\u05dd\u05d1a\u05e3\u05e1's-", (32940,12579,37053,8209,81791,435,146,251,146,248,44803,98,146,106,146,106,146,254,146,99,435,146,113,146,119,123858,146,110,146,117,146,121,147,226,1048,34102,15955,64,111704,21849,1048,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea<|media_pad|><|end_header_id|>', (18433,146,110,15955,143739,9778,146,112,34403,27,91,13634,49974,91,3318,91,517,16542,1885,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\r\n\r\n\r\n\r\n\r\n\r\n\r\n1   ))  \u4e2d                                                                                                                                         ', (65762,24745,16,256,47050,220,220,435,54447,1217)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "and'LL \u4f60\u597d'LL\u4e2d", (516,6,5847,220,33845,6,5847,435)),
    KnownAnswer("kimi-k2.6", False, '\U0001d7d9\U0001d7d8', (87393,78484,246)),
    KnownAnswer("kimi-k2.6", False, '\u30fc\u3002', (5678,292)),
    KnownAnswer("kimi-k2.6", False, '<|<\n', (27,37045,198)),
    KnownAnswer("kimi-k2.6", False, 'null,-1e-9, \u1fb3-', (6562,9422,16,68,12,24,11,13271,122,111,12)),
    KnownAnswer("kimi-k2.6", True, "\u060c\u4e2d\u0628\u062f\u0621\u0627's\u0632 \u0642\u064b\u0645\u0647\u0651\u0667\u0665\u0666\u0669's\u0679\u0671's", (9683,435,71939,45718,1063,1048,9184,16508,37714,71861,36273,149,100,149,98,149,99,148209,1048,26880,149,109,1048)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\U0001f44d\U0001f3fd\n\n    \U0001f469\u200d\U0001f469\u200d\U0001f467<|reserved_token_163589|><|reserved_token_163778|>\uac01\n', (64390,235,92949,121,382,274,130732,102,67963,64390,102,67963,64390,100,163589,163778,88259,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '   a\t\ufeff1\t\t\t\u4e2d', (256,261,197,31384,16,353,197,435)),
    KnownAnswer("kimi-k2.6", True, "\u4f60\u597d'\u017f\u0434\u0440\u0443\u0437\u044c\u044f'm\xe9", (33845,6,129,123,2276,95601,57752,14404,1941)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\U0001d7d8\U0001d7db\U0001d7d8\U0001d7d9\U0001d7db\U0001d7da\U0001d7db ', (78484,246,78484,249,78484,246,87393,78484,249,78484,248,78484,249,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, 'na\xefveand user@example.org\n', (4768,44187,367,516,2742,31,17480,3640,198)),
    KnownAnswer("kimi-k2.6", True, '<|<|im _middle|>x', (27,37045,91,348,1222,61186,91,29,87)),
    KnownAnswer("kimi-k2.6", True, '\u2603\ufe0e\u3000a\u0323\u0302\U0001f1fa\U0001f1f3  \u0301-', (53547,225,28952,236,14224,64,136,96,136,224,32166,118,32166,111,220,220,37484,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u068d\u0686\u068e\u0683's\u069a\u0695\u0697\u0690\u0699's\u06a7\u06aa\u06ba\u06b3\u06bf\u06b8\u06bd\u06cf\u06c7\u06c2\u06c3\u06d7\u06db\u06db\u06d3\u06d8\u06e9\u06e6\u06eca\u06fb\u06f8\u06fc\u06f3\u06f9's", (150,235,15526,150,236,150,225,1048,150,248,100689,150,245,150,238,150,247,1048,150,100,128453,9574,150,111,150,123,150,116,150,121,151,237,108897,151,224,151,225,151,245,151,249,151,249,151,241,151,246,151,102,151,99,151,105,64,151,119,69976,151,120,56288,69053,1048)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea \u05e9<|reserved_token_163592|><|reserved_token_163592|><|reserved_token_163592|><|reserved_token_163674|><|reserved_token_163592|>\u4e16\u754c\n\u0130stan', (18433,146,110,15955,143739,9778,146,112,34403,20054,27,91,64345,14147,62,18752,43247,91,3318,91,64345,14147,62,18752,43247,91,3318,91,64345,14147,62,18752,43247,91,3318,91,64345,14147,62,18752,47313,91,3318,91,64345,14147,62,18752,43247,91,29,2243,198,63930,29033)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\ufeff\ufeffa\n\n\n\n\n\n\n1\n\x1c\u4e2d\n\r))', (124251,64,13099,3898,16,198,216,435,198,201,1036)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u0401\u043b\u043a\u0430've\u0391\u0392\u0393'd\u4eba\u5de5\u667a\u80fd\u2019s\u3280\u2019s\u03ba\u03cc\u03c3\u03bc\u03b5't\u3280'RET", (140,223,1390,12834,7962,124747,138,240,115528,12362,17511,824,159,232,222,824,15917,22934,111348,9554,1769,159,232,222,6,27556)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '68x', (5261,87)),
    KnownAnswer("kimi-k2.6", False, '\u03ba\u03cc\u03c3\u03bc\u03b5\n\u0391\u0392\u0393\u1fb3\u3002\u0391\u0392\u0393\n\u1fb3  \u03c3\u03c2\n\u03c3\u03c2 ', (15917,22934,111348,9554,198,124747,138,240,115528,157,122,111,292,124747,138,240,115528,198,157,122,111,220,22116,12601,198,13394,12601,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|<|reserved_token_163 818|>|>', (27,37045,91,64345,14147,62,18752,220,41137,91,59040,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea\u3000::=>::, fooBar */\n\n    \xdf, \u0130stanbul \u02b0-', (18433,146,110,15955,143739,9778,146,112,34403,14224,680,8900,680,11,21633,7637,4398,274,3648,253,11,41922,67835,220,134,108,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u0702\u0701\u0700\u0707\u0704\u070c-\u0711\u0713\u0710\u0718\u0713\u0712's\u072c's\u0739\u0738\u0733\u0732\u07381\u0747\u0745   ", (152,224,152,223,152,222,152,229,152,226,152,234,12,152,239,152,241,152,238,152,246,152,241,152,240,1048,152,105,1048,152,117,152,116,152,111,152,110,152,116,16,153,229,153,227,274)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\ud55c\uad6d\uc5b4\na<|reserved_token_163600|><|im_user|>FOOBar-null,  \U0001f600\n\n    \U0001f1fa\U0001f1f3 ', (17079,54078,28763,198,64,163600,163587,163037,7637,70960,11,220,70005,222,382,274,67496,118,32166,111,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '       \u0301\t\u0301', (1659,220,37484,197,37484)),
    KnownAnswer("kimi-k2.6", True, "\u041f\u0420\u0418\u0412\u0415\u0422're\u3280'\xe9", (14374,22559,26506,18808,47317,25259,4746,159,232,222,54549)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '090-', (38050,12)),
    KnownAnswer("kimi-k2.6", True, '\U0001f44d\U0001f3fd \u2603\ufe0e\na\u0323\u0302-\u4e16\u754c\n\n    null,  "key":\n\n    "key":\n"key":\u3000http://example.org/a?b=c%20d\n\n    ', (64390,235,92949,121,96150,225,28952,236,198,64,136,96,136,224,12,2243,382,274,1704,11,220,414,1319,1289,382,274,414,1319,12145,1,1319,1289,14224,3531,1316,17480,3640,18825,30,65,23789,4,577,67,382,257)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, ' <|reserved_token_163629|>', (220,163629)),
    KnownAnswer("kimi-k2.6", True, '\u30ab\u30bf\u30ab\u30ca-\u3072\u3089\u304c\u306a \uff76\uff85\n\n    \u314e\u314f\u3134 \\n\u3002\u4e16\u754c\u3002\u3007\u3007\n\u3007 \u4eba\u5de5\u667a\u80fd, \u03ba\u03cc\u03c3\u03bc\u03b5-', (26121,21449,26121,42125,12,127935,16800,10389,11839,220,24576,114,171,122,227,382,274,220,159,227,236,159,227,237,84206,112,1272,77,292,2243,292,91894,91894,198,91894,220,17511,11,22656,22934,111348,9554,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0785\u0783\u0781a\u079d\u0793\u0794 \u07ab\u07a4 aa--\u4e2d', (154,227,154,225,154,223,64,154,251,154,241,154,242,55001,104,154,97,64550,344,435)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'the-na\xefve<|reserved_token_163608|><|reserved_token_163824|>\ud55c\uad6d\uc5b4\u6f22\u5b57\u3068', (2108,12,4768,44187,367,27,91,64345,14147,62,18752,39776,91,3318,91,64345,14147,62,18752,46922,91,29,17079,54078,28763,1435,95,1855,9219)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\t\t\t\t\t\t\t))', (4527,197,1036)),
    KnownAnswer("kimi-k2.6", False, "\u1fb3've\u02b0'S1", (157,122,111,7962,134,108,34480,16)),
    KnownAnswer("kimi-k2.6", False, '\U0001d7da\U0001d7db\U0001d7da\U0001d7d8\U0001d7da\U0001d7d8\U0001d7db\u0968\u0967x\u0667\u0663\u0664\u0663\u0663\u0665\u0660\u0664,\U0001d7da\U0001d7db\U0001d7d9\U0001d7d8\U0001d7db\U0001d7d8\U0001d7d8\U0001d7d9\U0001d7dax\xbd\xbd\u2473\xb9\u3007\u2167\xb2\u2473.', (78484,248,78484,249,78484,248,78484,246,78484,248,78484,246,78484,249,62886,35470,87,149,100,149,96,149,97,149,96,149,96,149,98,122674,149,97,11,78484,248,78484,249,87393,78484,246,78484,249,78484,246,78484,246,87393,78484,248,87,45953,45953,6114,111,33370,91894,28819,100,39530,6114,111,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0e81\u0ecd-\u0391\u0392\u0393\u041f\u0420\u0418\u0412\u0415\u0422\u3002\u0457  \u2603\ufe0e \u0301\u314e\u314f\u3134 \uac01-a\u0323\u0302\n', (13286,223,39022,235,12,124747,138,240,115528,14374,22559,26506,18808,47317,25259,292,14450,220,96150,225,28952,236,220,37484,159,227,236,159,227,237,84206,112,126374,9239,136,96,136,224,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|29|>x', (27,91,3114,91,29,87)),
    KnownAnswer("kimi-k2.6", False, '\xdf\n\ufb01n\n\xdcn\xefcode\n\u02b0\u3000the\u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea-\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f600\u3000\U0001f469\u200d\U0001f469\u200d\U0001f467\n\n    e\u0301, a\u0323\u0302\u3000\U0001f44d\U0001f3fd ', (21277,198,171,102746,77,198,89743,77,44187,2431,198,134,108,14224,2108,18433,146,110,15955,143739,9778,146,112,34403,12,64390,102,67963,64390,102,67963,64390,100,70005,222,14224,64390,102,67963,64390,102,67963,64390,100,382,274,350,37484,11,261,136,96,136,224,14224,64390,235,92949,121,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "'s\n-\na\n  ", (1048,198,10468,64,198,256)),
    KnownAnswer("kimi-k2.6", True, '\u05e9\u05dc\u05d5\u05dd\n\n    \u1019\u103c\u1014\u103a\u1019\u102c, <|reserved_token_163609|><|reserved_token_163763|>\u0e81\u0ecd\n\n    "key":\n', (16838,11792,84242,382,274,102081,144177,9624,11,220,163609,163763,13286,223,39022,235,382,274,414,1319,12145)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '                                        \r!\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n))                \u0301\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r', (22625,201,0,129737,129737,50946,1036,702,220,37484,65762,65762,65762,65762,65762,65762,2298,24745,201)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u1fb3''s \u03c3\u03c2't \u1e9e'LL1", (157,122,111,9726,82,22116,12601,1769,13271,118,252,6,5847,16)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\xbe\u3007\u3007\u3007\xbe\xb9\xb3\u2167\xbd\xbe\u2473x\u0661\u0663\u0664\u0660\u0662\u0669\u0664\u0661\u0660.\u096a\u096b\u0966\u096f\u096f\u0966\u096c\u096dx\u2167\u2473\xb2\u3007\xb3\xbe\xbe\u3007\xb9\xb9\xb3 ', (112649,91894,91894,91894,112649,33370,103539,28819,100,45953,112649,6114,111,87,111991,149,96,149,97,122674,161592,148209,149,97,111991,122674,13,99123,100283,66858,106456,106456,66858,98913,105315,87,28819,100,6114,111,39530,91894,103539,112649,112649,91894,33370,33370,103539,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u0457\u041f\u0420\u0418\u0412\u0415\u0422\u3002\u041f\u0420\u0418\u0412\u0415\u0422\n\u0456 \u3280\n\U00020000\U0002a6d6\U00020000\U0002a6d6 \u3005\n\n    \u3280  \u4eba\u5de5\u667a\u80fd\n\n    ', (14450,14374,22559,26506,18808,47317,25259,292,14374,22559,26506,18808,47317,25259,198,2233,220,159,232,222,198,172,254,222,222,172,103,249,244,172,254,222,222,172,103,249,244,220,106101,382,274,220,159,232,222,220,220,17511,382,257)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, ' <<|reserved_token_163689|>|>', (555,163689,91,29)),
    KnownAnswer("kimi-k2.6", True, '\u0e44\u0e17\u0e22\u0e17\u0e35\u0e48 \u0131I  of\n\u1e9e\xdf  \u01c5, \u1e9e \u0131I\n\n    and \u1e9e \xdcn\xefcode \u0131I ', (52791,37016,31452,76529,220,4712,40,220,318,198,16032,252,21277,220,220,131,227,11,13271,118,252,220,4712,40,382,274,316,13271,118,252,61412,77,44187,2431,220,4712,40,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'a\u4e2d\n\n-', (64,435,382,12)),
    KnownAnswer("kimi-k2.6", False, 'theand\n\u0434\u0440\u0443\u0437\u044c\u044f\n\n    /*\u3002foo_<|reserved_token_163610|><|reserved_token_163610|><|reserved_token_163610|><|reserved_token_163674|><|reserved_token_163610|>\u0457, \u0456\n\u0457\n\u0456 ', (2108,516,198,2276,95601,57752,382,274,2216,292,10570,73083,91,64345,14147,62,18752,30830,91,3318,91,64345,14147,62,18752,30830,91,3318,91,64345,14147,62,18752,30830,91,3318,91,64345,14147,62,18752,47313,91,3318,91,64345,14147,62,18752,30830,91,29,14450,11,16451,198,14450,198,2233,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\n\n\n\n\n\n\n\u0301', (13099,3898,37484)),
    KnownAnswer("kimi-k2.6", False, "\u1fb3'LL1", (157,122,111,6,5847,16)),
    KnownAnswer("kimi-k2.6", False, '\u0665\u0665\u0663\u0665-\u096b\u096a\u096a-', (149,98,149,98,149,96,149,98,12,100283,99123,99123,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u4f60\u597d\ufb01n \u0130stanbul  \u0131I\nna\xefve\n\n    the\u3002and  \ufb01n-\u0130stanbul\n\u05e9\u05dc\u05d5\u05dd, \u0b95\u0bcd\u0bb7 \u0e81\u0ecd ', (33845,171,102746,77,41922,67835,220,220,4712,40,198,4768,44187,367,382,274,276,292,516,220,74792,102746,77,12,63930,67835,198,16838,11792,84242,11,86704,15467,115,124957,223,39022,235,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'a<|reserved_token_163771|>|>x', (64,27,91,64345,14147,62,18752,49995,91,59040,29,87)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u043c\u0438\u0440, \u0456, \u0434\u0440\u0443\u0437\u044c\u044f ', (2490,17898,11,16451,11,5451,95601,57752,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u0908\u0903's\u0914\u0914\u0910\u091c\u4e2d\u0925\u0924\u0929\u0926a\u0939\u0933\u0936\u093e\u093e\u094d\u0944\u0943\u0944\u0953\u0959\u095ba\u0967\u096e\n\u0970a", (144597,33598,1048,958,242,958,242,958,238,40315,435,53261,10290,958,102,20886,64,21232,120493,34825,4117,4117,4145,2093,226,39007,2093,226,2093,241,2093,247,2093,249,64,46147,106,198,2093,108,64)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\uac01\n\n    \u041f\u0420\u0418\u0412\u0415\u0422\n\u041f\u0420\u0418\u0412\u0415<|reserved_token_163611|><|reserved_token_163611|><|reserved_token_163611|><|reserved_token_163656|><|reserved_token_163611|>\u0645\u0631\u062d\u0628\u0627\u3002\u0e44\u0e17\u0e22\u0e17\u0e35\u0e48, \u0e44\u0e17', (88259,382,274,12872,22559,26506,18808,47317,25259,198,14374,22559,26506,18808,47317,163611,163611,163611,163656,163611,40011,7570,4265,1063,292,52791,37016,31452,76529,11,220,52791,37016)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0', (5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406,5406)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u3280\u2019s\u3005'mx", (159,232,222,824,106101,14404,87)),
    KnownAnswer("kimi-k2.6", True, '6408490928.\u2473\xbe\u2167\u2167\xb9\u2167\xbe ', (24057,58919,48259,23,13,6114,111,112649,28819,100,28819,100,33370,28819,100,112649,220)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u0434\u0440\u0443\u0437\u044c\u044f \u043c\u0438\u0440\u3002\u043c\u0438\u0440  \u03ba\u03cc\u03c3\u03bc\u03b5\u3000\u1fb3  \u03ba\u03cc\u03c3\u03bc\u03b5-\u03c3\u03c2 \ud55c\uad6d\uc5b4 \ud55c\uad6d\uc5b4 \u6f22\u5b57\u3068\u304b\u306a \u0434\u0440\u0443\u0437\u044c\u044f i18n-', (2276,95601,57752,5993,17898,292,2490,17898,220,22656,22934,111348,9554,14224,157,122,111,220,22656,22934,111348,9554,12,13394,12601,78560,54078,28763,78560,54078,28763,220,1435,95,1855,9219,15593,11839,5451,95601,57752,1032,1428,77,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|RESERVED_TOKEN_163748|>|>', (27,91,12127,59681,30483,62,18752,33898,91,59040,29)),
    KnownAnswer("kimi-k2.6", True, '\u4f60\u597d\u3002{"a":[1,2.5e3]}\n\n    null,  "key":', (33845,292,8264,64,33991,16,11,17,13,20,68,18,60,955,274,1704,11,220,414,1319,1289)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u098a\u0985\u0989\u098ca\u099a\u0995\u099b\u099ca\u09ac\u09a6\u09ab\u09ab\u09aea\u09bc \u09c3\u09cba \u09e9\u09ee\u09ef\u09f7\u09f3\u09f6a', (1533,232,1533,227,143485,1533,234,64,81206,25235,137180,69919,64,28120,49004,147677,147677,30022,64,94465,220,91681,29002,64,220,157970,138688,87363,3843,115,3843,111,3843,114,64)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0301\n\n    \n<|reserved_token_163612|>\n<|reserved_token_163771|>\n{}\nuser@exa', (37484,382,4521,27,91,64345,14147,62,18752,39090,91,719,27,91,64345,14147,62,18752,49995,91,719,30429,2482,31,471,64)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\u200a))\r\n\r\n\u2000))\t\t\u4e2d\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t', (129737,129737,50946,61057,87077,390,222,1036,197,197,435,129737,126873,126873,44697,28160)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u3280''s1", (159,232,222,9726,82,16)),
    KnownAnswer("kimi-k2.6", False, '4 \uff17\uff16-\U0001d7da\U0001d7da\U0001d7da\U0001d7da\U0001d7d8\U0001d7db\U0001d7db\U0001d7d8\U0001d7da\U0001d7d9\U0001d7d8.2 426841821,', (19,220,320,245,320,244,12,78484,248,78484,248,78484,248,78484,248,78484,246,78484,249,78484,249,78484,246,78484,248,87393,78484,246,13,17,220,39510,52908,44241,11)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u4f60\u597d  \u0939\u093f\u0928\u094d\u0926\u0940 \u0e81\u0ecd  \u0627\u0644\u0633\u0651\u0644\u0627\u0645-\ufb01n\nand, \xdf\n\u0627\u0644\u0633\u0651\u0644\u0627\u0645\n\u0645\u0631\u062d\u0628\u0627\n\n    \u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea, \u0e81\u0ecd\u3000\u0e81\u0ecd', (33845,220,25042,48190,84837,10722,124957,223,39022,235,220,33772,36273,55588,12,171,102746,77,198,516,11,3648,253,198,6974,3471,36273,55588,198,40011,7570,4265,1063,382,274,33480,146,110,15955,143739,9778,146,112,34403,11,124957,223,39022,235,14224,13286,223,39022,235)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|RESERVED_TOKEN_163773|>', (27,91,12127,59681,30483,62,18752,51619,91,29)),
    KnownAnswer("kimi-k2.6", False, '\u0e44\u0e17\u0e22\u0e17\u0e35\u0e48\u3000\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd\u3000\u05e2\u05b2\u05d1\u05b0\u05e8\u05b4\u05d9\u05ea\u0645\u0631\u062d\u0628\u0627  \u0e44\u0e17\u0e22\u0e17\u0e35\u0e48\n\n    \u0627\u0644\u0633\u0651\u0644\u0627\u0645  \u1019\u103c\u1014\u103a\u1019\u102c\n\n    \U0001f1fa\U0001f1f3 \U0001f469\u200d\U0001f469\u200d\U0001f467  \U0001f1fa\U0001f1f3\u3000', (52791,37016,31452,76529,14224,40011,7570,4265,1063,37056,84242,14224,18433,146,110,15955,143739,9778,146,112,34403,40011,7570,4265,1063,220,220,52791,37016,31452,76529,382,274,33772,36273,55588,220,102081,144177,9624,382,274,67496,118,32166,111,130732,102,67963,64390,102,67963,64390,100,220,67496,118,32166,111,14224)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u0a05\u0a02\u0a1f\u0a17\u4e2d\u0a27\u0a2e\u0a21\u0a21\n\u0a3e-\u0a42\u0a48\n\u0a5c's\u0a67\u0a69-", (3920,227,64425,120018,134942,435,3920,100,72895,3920,94,3920,94,198,18031,12,66494,71131,198,9782,250,1048,9782,100,9782,102,12)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, 'http://example.org\n<|reserved_token_163613|>\n<|reserved_token_163723|>\n\ud55c\uad6d\uc5b4', (3531,1316,17480,3640,198,163613,198,163723,198,17079,54078,28763)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\t\t))\t\t\t\xe9\u2003\u2003\u2003\u1680\xe9\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\xa0's\t\t\t\t\t\t\t))\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\xa0!", (197,197,1036,353,197,1941,64731,64731,64731,157,40101,1941,129737,129737,50946,5406,1048,4527,197,1036,44697,5406,0)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, "\u8c48't\u4f60\u597d\u2019s\u3005'T\u1fb3'\u017f\u0434\u0440\u0443\u0437\u044c\u044f's1", (1353,230,1769,33845,824,106101,64833,157,122,111,6,129,123,2276,95601,57752,1048,16)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\U0001d7d8\U0001d7d9\U0001d7db\U0001d7d9\U0001d7d9\U0001d7d8\U0001d7db\U0001d7d9\U0001d7da-\u0661\u0667\u0665\u0660\u0665\u0661\u0665\u0663\u0660\u0664\u0664\u0663-\U0001d7da\U0001d7db\U0001d7db\U0001d7d9\U0001d7db\U0001d7da\U0001d7d9\U0001d7dax', (78484,246,87393,78484,249,87393,87393,78484,246,78484,249,87393,78484,248,12,111991,149,100,149,98,122674,149,98,111991,149,98,149,96,122674,149,97,149,97,149,96,12,78484,248,78484,249,78484,249,87393,78484,249,78484,248,87393,78484,248,87)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '\u30ab\u30bf\u30ab\u30ca-\u6f22\u5b57\u3068\u304b\u306a  \u0456\n\u041f\u0420\u0418\u0412\u0415\u0422\n\n    \u043c\u0438\u0440\n\u0401\u043b\u043a\u0430\n\u0401\u043b\u043a\u0430, \u0456 \u043c\u0438\u0440\u3000\u0391\u0392\u0393\n', (26121,21449,26121,42125,12,1435,95,1855,9219,15593,11839,220,16451,198,14374,22559,26506,18808,47317,25259,382,274,5993,17898,198,140,223,1390,12834,198,140,223,1390,12834,11,16451,5993,17898,14224,124747,138,240,115528,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, 'aoken_163706|>\n', (64,3155,62,18752,48839,91,719)),
    KnownAnswer("kimi-k2.6", True, 'http://example.org/a?b=c%20d\u3002"key":, null,\n\n    user@example.org{"a":[1,2.5e3]} "key":-http://example.org/a?b=c%20d\n', (3531,1316,17480,3640,18825,30,65,23789,4,577,67,1402,1319,1289,11,1704,15898,274,2742,31,17480,3640,8264,64,33991,16,11,17,13,20,68,18,24216,414,1319,1289,12,3531,1316,17480,3640,18825,30,65,23789,4,577,67,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u0a85\u0a83\u0a82-\u0a94\u0a9a\u0a90\u0a9e\u0a90\u0aa4\u0aa4\u0aa0 \u0abd\u0ab6\u0abf\u0ab9\u0ab0\u0ab0 \u0ac0's\u0aee\u0aeb  ", (4569,227,4569,225,58352,12,4569,242,4569,248,4569,238,4569,252,4569,238,49030,49030,4569,254,12508,121,4569,114,101728,117,39573,39573,220,32449,1048,10324,106,10324,104,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u05e9\u05dc\u05d5\u05dd\n\u0939\u093f\u0928\u094d\u0926\u0940 <|reserved_token_163614|><|reserved_token_163763|>ht', (16838,11792,84242,198,21232,48190,84837,10722,22652,64345,14147,62,18752,46020,91,3318,91,64345,14147,62,18752,54864,91,29,495)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\u0301\r\n\r\n\r\na', (129737,37484,24745,64)),
    KnownAnswer("kimi-k2.6", False, "na\xefve're \u0391\u0392\u0393'TT", (4768,44187,367,4746,82394,138,240,115528,64833,51)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u096f\u096a\u0966\u0967\u0969\u096a\u0660\u0668\u0661\u0666\u0661\u0662x\u0660\u0666\u0667\u0667\u0666\u0664\u0667\u0662\u0666\u0660.\u0661\u0664\u0661\u0664\u0668\u0663.\u096b', (106456,99123,66858,46147,102,99123,122674,149,101,111991,149,99,111991,161592,87,122674,149,99,149,100,149,100,149,99,149,97,149,100,161592,149,99,122674,13,111991,149,97,111991,149,97,149,101,149,96,13,100283)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0e81\u0ecd \u0627\u0644\u0633\u0651\u0644\u0627\u0645 \u4eba\u5de5\u667a\u80fd, \U00020000\U0002a6d6 \u4eba\u5de5\u667a\u80fd\u4e16\u754c\n\u3280, \u8c48\n\u3007  \u0301\u3002\u03ba\u03cc\u03c3\u03bc\u03b5\n', (13286,223,39022,235,33772,36273,55588,220,17511,11,220,172,254,222,222,172,103,249,244,220,17511,2243,198,159,232,222,11,220,1353,230,198,91894,220,220,37484,292,15917,22934,111348,9554,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|<|reserved_token_16369 5|>', (27,37045,91,64345,14147,62,18752,6470,220,20,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'null,  {"a":[1,2.5e3]}\u3000\u30fc \uff76\uff85  \ud55c\uad6d\uc5b4 \uac01  \u314e\u314f\u3134  \ud55c\uad6d\uc5b4-', (6562,11,220,9392,64,33991,16,11,17,13,20,68,18,24216,14224,5678,220,24576,114,171,122,227,220,78560,54078,28763,126374,220,220,159,227,236,159,227,237,84206,112,220,78560,54078,28763,12)),  # noqa: E501
)
# fmt: on
