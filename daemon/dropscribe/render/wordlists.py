"""Function words by language: after which a line must not end, before which it likes to.

`holds`: articles, determiners, possessives, prepositions, auxiliaries, negations, subject pronouns, titles: a line that
ends with one tears it from what it belongs to. `leads`: conjunctions, relatives, prepositions: a good beginning.
`follows`: particles and endings that belong to what stands before them. All in lower case, as they are written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

NO_WORDS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class WordList:
    """The function words of one language."""

    holds: frozenset[str] = NO_WORDS
    leads: frozenset[str] = NO_WORDS
    follows: frozenset[str] = NO_WORDS


_SOURCES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "en": (
            """a an the this that these those my your his her its our their whose each every some any no another
            such what which i you he she it we they who i'm i've i'll i'd you're you've you'll you'd he's he'll
            he'd she's she'll she'd it's it'll we're we've we'll we'd they're they've they'll they'd who's
            that's there's there here's what's let's of in on at by for with from to into onto upon about above
            across after against along among around as before behind below beneath beside besides between beyond
            despite down during except inside like near off out outside over past per since through throughout
            till toward towards under underneath until unto up via within without than am is are was were be
            been being have has had having do does did will would shall should can could may might must ought
            cannot isn't aren't wasn't weren't haven't hasn't hadn't don't doesn't didn't won't wouldn't shan't
            shouldn't can't couldn't mayn't mightn't mustn't not never and or but nor so if because when while
            where why how whether although though unless just very too more most less least quite rather really
            only even also both either neither mr mrs ms dr prof sir st senator president professor doctor
            mister madam chairman judge captain general governor secretary minister king queen gonna wanna gotta
            and/or several many few""",
            """and or but nor so yet because when while where whereas whether although though unless until if since
            after before as that which who whom whose what how why than to of in on at by for with from into
            onto about against among around between during through throughout under over within without toward
            towards via then""",
            "",
        ),
        "fr": (
            """le la les l' un une des du de d' au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre nos
            votre vos leur leurs quel quelle quels quelles chaque quelque quelques plusieurs tout toute tous
            toutes je j' tu il elle on nous vous ils elles qui que qu' dont où me m' te t' se s' lui y en ne n'
            à dans par pour sur avec sans sous chez vers entre contre depuis pendant avant après dès selon
            malgré parmi hors derrière devant jusque jusqu'à jusqu'au jusqu'aux est sont était étaient suis es
            sommes êtes été être ai as a avons avez ont avait avaient avoir eu sera seront serait seraient fut
            peut peuvent pouvait pourra pourrait doit doivent devait devra devrait veut va vont vais fait faut
            pas plus très trop si et ou mais ni car donc or comme quand lorsque lorsqu' puisque puisqu' parce
            quoique c' c'est ça cela est-ce n'est n'a d'un d'une qu'il qu'elle qu'on qu'ils qu'un qu'une s'il
            même aussi bien moins m. mme mlle mm. dr pr monsieur madame mademoiselle maître saint sainte jamais
            rien encore toujours aucun aucune""",
            """et ou mais ni car donc or que qu' qui dont où quand lorsque lorsqu' puisque puisqu' parce comme si
            pour par avec sans dans sur sous chez vers entre contre depuis pendant avant après selon de d' du
            des à au aux qu'il qu'elle qu'on qu'ils qu'elles qu'un qu'une jusqu'à afin ainsi alors""",
            "",
        ),
        "de": (
            """der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner keines mein
            meine meinen meinem meiner dein deine deinen sein seine seinen seinem seiner ihr ihre ihren ihrem
            ihrer unser unsere unseren unserem unserer euer eure dieser diese dieses diesen diesem jener jene
            jenes jenen jenem jeder jede jedes jeden jedem welcher welche welches welchen welchem manche mancher
            alle allen aller viele vielen einige einigen mehrere ich du er sie es wir man wer was in im ins an
            am ans auf aus bei beim bis durch für gegen hinter mit nach neben ohne seit trotz über um unter von
            vom vor während wegen zu zum zur zwischen als wie bin bist ist sind seid war waren wäre wären
            gewesen habe hast hat haben habt hatte hatten hätte hätten werde wirst wird werden wurde wurden
            würde würden worden kann kannst können konnte konnten könnte könnten muss müssen musste mussten
            müsste soll sollen sollte sollten will wollen wollte wollten darf dürfen durfte mag mögen möchte
            möchten nicht nie sehr so ganz noch nur auch und oder aber denn sondern dass daß weil wenn ob obwohl
            da damit falls nachdem bevor sobald herr frau dr prof sankt st mehr""",
            """und oder aber denn sondern dass daß weil wenn ob obwohl als wie damit falls nachdem bevor sobald
            während bis der die das den dem welche welcher welches was wer wo wohin woher warum in im an am auf
            aus bei durch für gegen mit nach ohne seit über um unter von vom vor wegen zu zum zur zwischen""",
            "",
        ),
        "es": (
            """el la los las lo un una unos unas al del mi mis tu tus su sus nuestro nuestra nuestros nuestras
            vuestro vuestra este esta estos estas ese esa esos esas aquel aquella aquellos aquellas cada algún
            alguna algunos algunas ningún ninguna todo toda todos todas otro otra otros otras mucho mucha muchos
            muchas varios varias yo tú él ella usted nosotros nosotras vosotros ellos ellas ustedes me te se le
            les nos os que quien quienes cuyo cuya donde cuando como si a ante bajo con contra de desde durante
            en entre hacia hasta mediante para por según sin sobre tras soy eres es somos sois son era eran fue
            fueron ser sido será serán sería he has ha hemos habéis han había habían haber habrá hay estoy está
            están estaba estaban estar puede pueden podía podría podrá debe deben debía debería va van voy vamos
            tiene tienen quiere no ni y e o u pero sino aunque porque pues muy más menos tan también ya nunca sr
            sra srta dr dra don doña señor señora san santa""",
            """y e o u pero sino aunque porque pues que quien quienes cuyo cuya donde cuando como si mientras para
            por con sin sobre en entre hacia hasta desde durante según tras contra de del a al ante bajo""",
            "",
        ),
        "pt": (
            """o a os as um uma uns umas do da dos das no na nos nas ao à aos às pelo pela pelos pelas num numa dum
            duma meu minha meus minhas teu tua seu sua seus suas nosso nossa nossos nossas este esta estes estas
            esse essa esses essas aquele aquela aqueles aquelas neste nesta nesse nessa naquele deste desta
            desse dessa cada algum alguma alguns algumas nenhum nenhuma todo toda todos todas outro outra outros
            outras muito muita muitos muitas eu tu ele ela você nós vocês eles elas me te se lhe lhes que quem
            cujo cuja onde quando como ante após até com contra de desde em entre para per perante por sem sob
            sobre trás durante sou és é somos são era eram foi foram ser sido será serão seria tenho tem temos
            têm tinha tinham ter terá há havia haver estou está estão estava estavam estar pode podem podia
            poderia poderá deve devem devia deveria vai vão vou vamos quer não nem e ou mas porém embora porque
            pois mais menos tão também já nunca sr sra dr dra dom dona senhor senhora santo santa""",
            """e ou mas porém embora porque pois que quem cujo cuja onde quando como se enquanto para por com sem
            sobre em entre até desde durante segundo contra de do da dos das no na nos nas ao à pelo pela""",
            "",
        ),
        "it": (
            """il lo la l' i gli le un uno una un' del dello della dell' dei degli delle al allo alla all' ai agli
            alle dal dallo dalla dall' dai dagli dalle nel nello nella nell' nei negli nelle sul sullo sulla
            sull' sui sugli sulle col coi mio mia miei mie tuo tua tuoi tue suo sua suoi sue nostro nostra
            nostri nostre vostro vostra loro questo questa questi queste quest' quello quella quelli quelle quel
            quei quegli quell' ogni qualche alcuni alcune nessun nessuno nessuna tutto tutta tutti tutte altro
            altra altri altre molto molta molti molte io tu lui lei egli ella noi voi essi mi ti si ci vi ne che
            chi cui dove quando come se di a da in con su per tra fra contro durante senza sopra sotto verso
            secondo sono sei è siamo siete era erano fu furono essere stato stata sarà saranno sarebbe ho hai ha
            abbiamo avete hanno aveva avevano avere avrà può possono poteva potrebbe deve devono doveva dovrebbe
            va vanno vuole non né e ed o od ma però anche perché poiché sebbene più meno così già mai sig signor
            signora signore dott dottor dottoressa san santa don""",
            """e ed o od ma però perché poiché sebbene che chi cui dove quando come se mentre per con senza sopra
            sotto in tra fra verso durante secondo contro di del dello della dei degli delle a al alla da dal
            dalla nel nella sul sulla""",
            "",
        ),
        "ru": (
            """в во на с со к ко у о об обо от ото до из изо за по под подо над надо при про без безо для через
            между перед передо среди вокруг около после против ради сквозь кроме вместо из-за из-под и а но или
            либо да не ни что чтобы как когда если хотя потому так то же ли бы я ты он она оно мы вы они кто
            который которая которое которые этот эта это эти тот та те мой моя моё мои твой твоя его её их наш
            наша наше наши ваш ваша ваше ваши свой своя своё свои каждый каждая весь вся всё все сам сама какой
            какая какое какие такой такая такое такие был была было были будет будут быть есть мог могла могли
            может могут должен должна должны очень более самый самая самое самые ещё уже только даже г-н г-жа
            господин госпожа""",
            """и а но или либо да что чтобы как когда если хотя потому поэтому который которая которое которые где
            куда откуда в во на с со к ко у о об от до из за по под над при про без для через между перед среди
            после против вместо""",
            "же ли бы ль б",
        ),
        "vi": (
            """các những một mỗi mọi cái con chiếc cuốn bức người việc sự cuộc nền này tôi bạn anh chị em ông bà nó
            chúng họ ta mình chúng-tôi ai của trong trên dưới ngoài ở tại từ đến với cho về bởi bằng theo giữa
            qua vì để do như là thì mà rằng nếu khi và hoặc hay nhưng không chưa chẳng đã đang sẽ sắp vừa mới có
            được bị phải nên cần thể rất quá hơn nhất cũng vẫn đều còn chỉ""",
            """và hoặc hay nhưng mà rằng nếu khi vì để do bởi nên thì là của trong trên dưới ở tại từ đến với cho
            về theo giữa như""",
            "này kia đó ấy nọ đây nữa rồi nhé ạ à lắm",
        ),
        "id": (
            """yang di ke dari pada dalam dengan untuk oleh sebagai tentang antara terhadap bagi kepada tanpa
            hingga sampai sejak selama menurut atas bawah se para sang si seorang sebuah suatu setiap tiap semua
            beberapa banyak ini itu saya aku kamu anda dia ia kami kita mereka dan atau tetapi tapi namun karena
            bahwa jika kalau ketika saat agar supaya sehingga meskipun walaupun adalah ialah akan telah sudah
            sedang masih belum tidak bukan jangan dapat bisa harus boleh perlu ingin sangat lebih paling juga
            hanya pak bapak bu ibu tuan nyonya""",
            """dan atau tetapi tapi namun karena bahwa jika kalau ketika saat agar supaya sehingga meskipun
            walaupun yang di ke dari pada dalam dengan untuk oleh sebagai tentang antara terhadap bagi kepada
            tanpa hingga sampai sejak selama""",
            "ini itu tersebut lah kah pun",
        ),
        "ar": (
            """في من إلى الى على عن مع حتى منذ خلال بين تحت فوق أمام امام خلف بعد قبل عند لدى نحو ضد دون بدون حول
            عبر ضمن لأجل سوى كل بعض أي اي غير ذات ذو أو او أم ثم بل لكن ولكن أن ان إن أنّ إنّ بأن وأن وإن لأن
            كأن لن لم لا لما ما قد لقد سوف هل إذا اذا إذ لو لولا كي لكي لكيلا كيلا حيث كما مثل هذا هذه هؤلاء ذلك
            تلك أولئك الذي التي الذين اللذين اللتين اللواتي هو هي هم هن نحن أنا انا أنت انت كان كانت كانوا يكون
            تكون ليس ليست وفي ومن وإلى وعلى وعن ومع وكل وبعض وغير وهو وهي وهم وهذا وهذه وذلك وتلك وقد ولا ولم
            ولن وما بما مما فيما عما كلما بينما عندما سواء أكثر جميع كافة السيد السيدة الدكتور الدكتورة الأستاذ
            يا إنه أنه إنها أنها بأنه لأنه""",
            """و أو او أم ثم بل لكن ولكن أن ان إن بأن وأن لأن كي لكي لكيلا إذا اذا حيث كما الذي التي الذين عندما
            بينما حتى في من إلى الى على عن مع منذ خلال بين تحت فوق بعد قبل عند دون حول عبر ضمن سواء وفي ومن وإلى
            وعلى وهو وهي وقد ولا ولم""",
            "",
        ),
        "ko": (
            """그 이 저 한 두 세 네 각 모든 어떤 무슨 어느 새 온 매 약 전 제 내 우리 저희 안 못 더 덜 가장 매우
            아주 너무 꽤 좀 및 또는 혹은 그리고 그러나 하지만 그런데""",
            "그리고 그러나 하지만 그런데 그래서 따라서 또한 또는 및 혹은 즉 만약 왜냐하면",
            "수 것 것이 것을 것은 것이다 것입니다 때 뿐 만큼 대로 있다 있는 있습니다 없다 없는 한다 합니다 된다 됩니다",
        ),
        "zh": (
            """把 被 在 和 对 与 及 以及 或 或者 不 没 没有 很 这 那 每 一 两 几 各 该 本 此 某 从 向 往 给 跟 同
            比 为 为了 因 由 于 以 按 按照 根据 通过 关于 对于 至于 由于 经过 随着 除了 除 将 让 叫 使 令 请 是
            就 都 也 还 又 再 更 最 太 非常 特别 十分 比较 相当 会 能 能够 可以 可 应 应该 应当 必须 需要 要 想
            得 所 而 但 但是 并 并且 而且 因为 所以 如果 虽然 即使 只有 只要 无论 不管 不论 我 你 他 她 它 我们
            你们 他们 她们 它们 咱们 这个 那个 这些 那些 这种 那种 一个 一种 一些 每个 任何 所有 有 有的 第 到
            自 当 像 如 等于 不得 不能 不会 不是 不要 未 未经 非 只 才 刚 正 已 已经 曾 曾经 正在 其 之 地 個 這
            沒 沒有 從 給 讓 對 為 為了 會 應該 應當 將 與 還 這個 那個 這些""",
            """但是 但 而且 并且 因为 所以 如果 虽然 即使 只有 只要 无论 不管 不论 然后 那么 于是 因此 不过 可是 而
            或者 以及 并 和 与 或 为了 通过 根据 对于 关于 由于 随着 除了 从 在 对 把 被 将 向 以 因為 為了 雖然
            無論 然後 於是 對於""",
            """的 了 着 过 吗 呢 吧 啊 呀 嘛 哦 啦 么 们 地 得 里 上 下 中 内 外 间 前 后 时 等 等等 者 性 化 之
            而已 似的 来说 来讲 起来 出来 下来 下去 上来 上去 过来 过去 进来 进去 以上 以下 以内 以外 之间 之后
            之前 之中 之内 之外 来 去 的话 年 月 日 号 个 位 名 次 种 元 块 岁 倍 分 秒 小时 分钟 公里 米 吨 人
            万 亿 千 百 百分之 點 著 過 嗎 們 裡 裏 個 歲 塊 後 時 間""",
        ),
        "ja": (
            """その この あの どの ある いかなる あらゆる すべての 各 全 約 第 同 両 毎 御 お ご 不 非 無 未 再 最
            超 また および 及び 並びに ならびに 又は または もしくは 若しくは 且つ かつ 的な という そんな
            こんな あんな どんな もっとも とても かなり もう まだ より""",
            """しかし そして また だから それで なので けれども ただし および 及び 並びに 又は または もしくは
            若しくは かつ さらに つまり 例えば たとえば なぜなら もし""",
            """は が を に で と も の へ や か よ ね な ぞ さ わ から まで より ので のに ても でも とも たり だり
            ながら けど けれど けれども し て た だ です ます ました ません でした ない なく なけれ なかっ う
            よう らしい そう れる られる れ られ せる させる せ させ たい たく たかっ つつ ば たら なら ず ぬ ん
            じゃ では には とは への での との からの までの については について において における に対する
            に対して によって による として という といった である であり であっ であろ でき いる い いた いて
            おる ある あり あっ あろ する しろ せよ すれ なる なり なっ なれ れれ さん くん ちゃん 様 さま 氏 君
            殿 達 たち ら 間 内 中 上 下 前 後 時 者 性 化 的 国 人 年 月 日 円 分 秒 回 個 つ 本 枚 台 歳 度
            など 等 だけ のみ ばかり ほど くらい ぐらい しか さえ すら こそ きり まま とき ところ こと もの ため
            わけ はず つもり ほう うえ""",
        ),
        "hi": (
            "",
            "और या लेकिन परन्तु किन्तु क्योंकि यदि अगर तो जो जब जहाँ कि ताकि तथा एवं",
            "का की के को में से पर ने तक है हैं था थे थी थीं हूँ हो गा गे गी ही भी तो वाला वाले वाली लिए साथ बाद पहले द्वारा",
        ),
        "th": (
            """ที่ ซึ่ง อัน ของ ใน จาก ถึง แก่ แด่ ต่อ กับ และ หรือ แต่ เพื่อ โดย ด้วย ตาม สำหรับ ระหว่าง ภายใต้ บน
            ใต้ เป็น คือ มี ได้ จะ ต้อง ควร อาจ กำลัง เคย ไม่ มิ อย่า ให้ ว่า เมื่อ ถ้า หาก เพราะ เนื่องจาก ทุก
            แต่ละ บาง ความ การ ผู้ นัก ฉัน ผม เรา เขา เธอ มัน พวก นาย นาง นางสาว ดร อย่าง เท่า กว่า ก็ ยัง จึง
            แห่ง ย่อม ถูก ตั้งแต่ จน ทั้ง""",
            """และ หรือ แต่ เพื่อ โดย ที่ ซึ่ง อัน เมื่อ ถ้า หาก เพราะ เนื่องจาก ว่า ใน จาก กับ สำหรับ ระหว่าง ตาม
            ต่อ ทั้ง จึง ของ""",
            "ๆ ฯ นี้ นั้น โน้น เหล่านี้ เหล่านั้น ครับ ค่ะ คะ นะ ละ เลย แล้ว อยู่ ไป มา ขึ้น ลง ไว้ กัน เอง ด้วย ก็ตาม",
        ),
    }
)

LANGUAGES: Final = tuple(_SOURCES)


@lru_cache(maxsize=32)
def word_list(language: str) -> WordList:
    """The words of a language by its two-letter code; empty for one that has no list."""
    holds, leads, follows = _SOURCES.get(language, ("", "", ""))
    return WordList(frozenset(holds.split()), frozenset(leads.split()), frozenset(follows.split()))
