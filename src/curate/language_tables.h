// What tells languages apart: ranges of scripts, frequent words, frequent sequences of letters.
#pragma once

#include <string_view>

namespace cupel::curate {

/// Letters `first`..`last` of a script. A language where one language stands for the script; else
/// "Latn", "Cyrl", "Arab" (ISO 15924), and "Hani" and "Kana", which zh and ja share.
/// `weight`: how many letters of an alphabet one of them stands for.
struct ScriptRange {
  char32_t first, last;
  std::string_view script;
  int weight = 1;
};

inline constexpr ScriptRange kScriptRanges[] = {
    {0x0041, 0x024F, "Latn"},    {0x0370, 0x03FF, "el"},       {0x0400, 0x052F, "Cyrl"},
    {0x0531, 0x058F, "hy"},      {0x0591, 0x05FF, "he"},       {0x0600, 0x077F, "Arab"},
    {0x08A0, 0x08FF, "Arab"},    {0x0900, 0x097F, "hi"},       {0x0980, 0x09FF, "bn"},
    {0x0A00, 0x0A7F, "pa"},      {0x0A80, 0x0AFF, "gu"},       {0x0B80, 0x0BFF, "ta"},
    {0x0C00, 0x0C7F, "te"},      {0x0C80, 0x0CFF, "kn"},       {0x0D00, 0x0D7F, "ml"},
    {0x0D80, 0x0DFF, "si"},      {0x0E00, 0x0E7F, "th"},       {0x0E80, 0x0EFF, "lo"},
    {0x0F00, 0x0FFF, "bo"},      {0x1000, 0x109F, "my"},       {0x10A0, 0x10FF, "ka"},
    {0x1100, 0x11FF, "ko"},      {0x1200, 0x139F, "am"},       {0x1780, 0x17FF, "km"},
    {0x1E00, 0x1EFF, "Latn"},    {0x1F00, 0x1FFF, "el"},       {0x3005, 0x3007, "Hani", 3},
    {0x3041, 0x30FF, "Kana", 2}, {0x31F0, 0x31FF, "Kana", 2},  {0x3400, 0x9FFF, "Hani", 3},
    {0xAC00, 0xD7AF, "ko", 2},   {0xF900, 0xFAFF, "Hani", 3},  {0xFF21, 0xFF5A, "Latn"},
    {0xFF66, 0xFF9D, "Kana", 2}, {0x20000, 0x3FFFD, "Hani", 3}};

/// Letters that a language of a shared script has and the others lack. The language is taken where
/// they are `share` of the script's letters; the first such row counts. Otherwise ru and ar.
struct TellingLetters {
  std::string_view language, script;
  std::u32string_view letters;
  double share;
};

inline constexpr TellingLetters kTellingLetters[] = {{"uk", "Cyrl", U"іїєґІЇЄҐ", 0.02},
                                                     {"sr", "Cyrl", U"ђјљњћџЂЈЉЊЋЏ", 0.02},
                                                     {"bg", "Cyrl", U"ъЪ", 0.006},
                                                     {"ur", "Arab", U"ٹڈڑںےھہ", 0.02},
                                                     {"fa", "Arab", U"پچژگکی", 0.02}};

/// Languages in Latin letters. Words by frequency, in lower case; `sequences` of three letters,
/// where '_' is the edge of a word.
struct LatinLanguage {
  std::string_view code;
  std::string_view words;
  std::u32string_view sequences;
};

inline constexpr LatinLanguage kLatinLanguages[] = {
    {"en",
     "the of and to in a is that was for it with as his on be at by i this had not are but from or "
     "have an they which one you were all their there been if more when will would who what so no "
     "we can our has these your how its than between after also may during my",
     U"_th the he_ ing ng_ nd_ ed_ _of of_ ion wh_ _wh ght ous ly_ ll_ oul uld hat ith ess est"},
    {"de",
     "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an "
     "werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum "
     "war haben nur oder aber vor zur bis mehr durch man ich wir kann wurde",
     U"en_ er_ ch_ sch ein ich nde der und cht _zu ung _un gen _au ier lic hei iss eit"},
    {"fr",
     "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il "
     "sont avec son aux d'une c'est cette n'est qu'il ont ou mais comme leur fait être été nous "
     "vous je sa tout on ses ces elle deux même d'un était entre",
     U"es_ _de ent le_ nt_ que _qu les eux oui ais ait eur aux _pa ée_ our ons our dan"},
    {"es",
     "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le "
     "ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy años "
     "hasta desde está nos porque",
     U"os_ as_ _qu que ión _la el_ _de ado nte aci dad ció _es los las ien one con ada"},
    {"it",
     "di e che la il un a per in una è sono mi ho lo ha le si ti i con cosa se io come da non più "
     "del della dei nel alla al delle gli ma anche questo questa ci era stato essere suo sua loro "
     "degli dal nella tra dopo quando",
     U"to_ la_ re_ _di di_ del ell zio che _ch gli one ent tà_ ono azi lla ato nte per"},
    {"pt",
     "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele "
     "das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela "
     "entre era depois sem mesmo são",
     U"ão_ _qu que os_ as_ ção ent nte _de ado ões nha lho ar_ em_ est men ida _co ra_"},
    {"nl",
     "de van een het en in is dat op te zijn met voor niet aan er om ook als dan maar bij nog uit "
     "die door over ze hij naar tot je was had worden wordt heeft hebben deze dit kan geen werd of "
     "meer wel zich ik u hun",
     U"en_ de_ van een _va aan het _he ij_ aar oor _ge eer sch ver ijk ing cht oed ond"},
    {"sv",
     "och i att det som en på är av för med till den har de inte om ett han men var jag sig från "
     "vi så kan när hade ut efter skulle eller hon vid också mot här",
     U"et_ för _fö att _at och _oc är_ ade ar_ and na_ gen til _so som den ill ter igt"},
    {"pl",
     "w i na z do się nie jest o to że jak po za od ale przez dla przy był tym są co tego już lub "
     "było być czy może jego który która które",
     U"ie_ _pr nie prz owa rze ych ego _na czy ści dzi _po wie ych iej _ni stw ani _za"},
    {"tr",
     "ve bir bu için da de ile çok o olarak daha gibi ne olan en var kadar sonra ama ki her değil "
     "ya ise mi olduğu tarafından ben sen",
     U"lar ler _bi bir ın_ in_ nda _ve eri ını ara ası dan den _ol ar_ er_ lan rin ili"},
    {"vi",
     "và của là có không được trong một các cho những này với đã người để khi về từ đến như ra tôi "
     "nhưng vào cũng nhiều theo trên tại sẽ",
     U"ng_ nh_ _đư ược _nh hôn ông _tr iên iệt ười _ng ương ên_ ững _th ng_ _kh _ch ện_"}};

}  // namespace cupel::curate
