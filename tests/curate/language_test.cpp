#include "curate/language.h"

#include <gtest/gtest.h>

#include <string>

namespace cupel::curate {
namespace {

struct Sample {
  std::string_view code, text;
};

constexpr Sample kSamples[] = {
    {"en", "The patient was given a second dose after the fever had not gone down."},
    {"en", "Renal function following transplantation in children"},
    {"de", "Der Patient erhielt eine zweite Dosis, weil das Fieber nicht gesunken war."},
    {"de", "Untersuchungen zur Behandlung der Lungenentzündung"},
    {"fr", "Le patient a reçu une deuxième dose parce que la fièvre n'avait pas baissé."},
    {"es", "El paciente recibió una segunda dosis porque la fiebre no había bajado."},
    {"it", "Il paziente ha ricevuto una seconda dose perché la febbre non era scesa."},
    {"pt", "O paciente recebeu uma segunda dose porque a febre não tinha baixado."},
    {"nl", "De patiënt kreeg een tweede dosis omdat de koorts niet was gezakt."},
    {"sv", "Patienten fick en andra dos eftersom febern inte hade gått ner."},
    {"pl", "Pacjent otrzymał drugą dawkę, ponieważ gorączka nie spadła i był słaby."},
    {"tr", "Ateşi düşmediği için hastaya ikinci bir doz verildi ve çok iyi oldu."},
    {"vi", "Bệnh nhân được tiêm liều thứ hai vì cơn sốt không giảm và rất mệt."},
    {"zh", "由于体温没有下降，患者接受了第二次给药。"},
    {"zh", "用BERT模型做文本分类，在GLUE上效果很好。"},
    {"ja", "熱が下がらなかったため、患者に二回目の投与を行った。"},
    {"ko", "열이 내리지 않아 환자에게 두 번째 약을 투여했다."},
    {"ru", "Пациент получил вторую дозу, потому что температура не снизилась."},
    {"uk", "Пацієнт отримав другу дозу, бо його температура не знизилася."},
    {"bg", "Пациентът получи втора доза, защото температурата му не беше спаднала."},
    {"ar", "تلقى المريض جرعة ثانية لأن الحمى لم تنخفض."},
    {"fa", "بیمار دوز دوم را دریافت کرد چون تب او پایین نیامده بود."},
    {"th", "ผู้ป่วยได้รับยาครั้งที่สองเพราะไข้ไม่ลดลง"},
    {"el", "Ο ασθενής έλαβε δεύτερη δόση επειδή ο πυρετός δεν έπεσε."},
    {"he", "החולה קיבל מנה שנייה כי החום לא ירד."},
    {"hi", "रोगी को दूसरी खुराक दी गई क्योंकि बुखार कम नहीं हुआ।"},
};

TEST(Language, OfASentenceIsFound) {
  for (const Sample& sample : kSamples) {
    const Language found = identify_language(sample.text);
    EXPECT_EQ(found.code, sample.code) << sample.text;
    EXPECT_GT(found.share, 0.2) << sample.text;
    EXPECT_LE(found.share, 1.0) << sample.text;
    EXPECT_TRUE(is_known_language(found.code)) << found.code;
  }
}

TEST(Language, IsUndeterminedWithoutEvidence) {
  for (const char* text : {"", "12 345 !?", "qzx wvk jjq", "\xFF\xFE"}) {
    EXPECT_EQ(identify_language(text).code, kUndetermined) << text;
    EXPECT_EQ(identify_language(text).share, 0) << text;
  }
}

TEST(Language, ShareFallsWithWhatIsInOtherScripts) {
  const double whole = identify_language("患者接受了第二次给药").share;
  const double half = identify_language("患者接受了第二次给药 Привет мир как дела у вас").share;
  EXPECT_EQ(whole, 1);
  EXPECT_LT(half, 0.8);
}

TEST(Language, CodesAreKnownOrNot) {
  for (const char* code : {"en", "zh", "ja", "ko", "ru", "uk", "ar", "fa", "th"})
    EXPECT_TRUE(is_known_language(code)) << code;
  for (const char* code : {"und", "", "Latn", "Cyrl", "english", "xx"})
    EXPECT_FALSE(is_known_language(code)) << code;
}

TEST(Language, IsReadFromTheBeginningOfALongText) {
  std::string text;
  while (text.size() < 100'000) text += "This is the text that was written in English. ";
  const Language before = identify_language(text);
  while (text.size() < 400'000) text += "Это по-русски. ";
  EXPECT_EQ(identify_language(text).code, "en");
  EXPECT_EQ(identify_language(text).share, before.share);
}

}  // namespace
}  // namespace cupel::curate
