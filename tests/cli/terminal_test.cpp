#include "cli/terminal.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cupel::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A terminal whose clock stands still until it is moved.
struct Recorder {
  double now = 0;
  std::string out;
  Terminal terminal;
  explicit Recorder(Screen screen)
      : terminal(
            screen, [this](std::string_view text) { out += text; }, [this] { return now; }) {}
  void progress(int64_t done, int64_t total, std::string_view note = {}) {
    terminal({.kind = Event::Kind::progress, .done = done, .total = total, .text = note});
  }
};

TEST(Terminal, PlainLinesComeAtMostEveryFiveSeconds) {
  Recorder recorder({});
  for (int step = 1; step <= 100; ++step) {
    recorder.now = step;
    recorder.progress(step, 1000, "loss 3.2");
  }
  EXPECT_EQ(std::count(recorder.out.begin(), recorder.out.end(), '\n'), 20);
  EXPECT_THAT(recorder.out, StartsWith("1/1000  loss 3.2  "));
  EXPECT_THAT(recorder.out, Not(HasSubstr("\x1b")));
}

TEST(Terminal, ALineHasRateAndTimeLeft) {
  Recorder recorder({});
  recorder.progress(0, 100);
  recorder.now = 10;
  recorder.progress(20, 100, "loss 3.2");
  EXPECT_THAT(recorder.out, HasSubstr("20/100  loss 3.2  2.0 steps/s  40.0 s left  "));
}

TEST(Terminal, SlowStepsAreGivenInSecondsAStep) {
  Recorder recorder({});
  recorder.progress(0, 100);
  recorder.now = 30;
  recorder.progress(10, 100);
  EXPECT_THAT(recorder.out, HasSubstr("10/100  3.0 s a step  4m 30s left  "));
}

TEST(Terminal, TheLastStepIsAlwaysShown) {
  Recorder recorder({});
  recorder.progress(1, 3);
  recorder.progress(2, 3);
  recorder.progress(3, 3);
  EXPECT_THAT(recorder.out, Not(HasSubstr("2/3")));
  EXPECT_THAT(recorder.out, HasSubstr("3/3"));
}

TEST(Terminal, OneLineIsRedrawnAtMostTenTimesASecond) {
  Recorder recorder({.redraws = true});
  for (int step = 1; step <= 100; ++step) {
    recorder.now = 0.01 * step;
    recorder.progress(step, 1000);
  }
  EXPECT_EQ(std::count(recorder.out.begin(), recorder.out.end(), '\n'), 0);
  EXPECT_LE(std::count(recorder.out.begin(), recorder.out.end(), '\r'), 10);
}

TEST(Terminal, ALogLineTakesThePlaceOfTheRedrawnOne) {
  Recorder recorder({.redraws = true});
  recorder.progress(1, 10);
  recorder.out.clear();
  recorder.terminal({.kind = Event::Kind::log, .level = LogLevel::warning, .text = "odd"});
  EXPECT_EQ(recorder.out, "\r\x1b[Kwarning: odd\n");
}

TEST(Terminal, ARedrawnLineFitsItsColumns) {
  Recorder recorder({.redraws = true, .columns = 20});
  recorder.progress(1, 10, std::string(100, 'x'));
  EXPECT_THAT(recorder.out, HasSubstr("…"));
  EXPECT_LE(recorder.out.size(), 22u);
}

TEST(Terminal, SectionsAreTimedOutsideTheLoopAndSilentInside) {
  Recorder recorder({});
  recorder.terminal({.kind = Event::Kind::section_end, .name = "tokenize", .value = 2});
  recorder.progress(1, 10);
  recorder.terminal({.kind = Event::Kind::section_end, .name = "checkpoint", .value = 2});
  EXPECT_THAT(recorder.out, StartsWith("tokenize  2.0 s\n"));
  EXPECT_THAT(recorder.out, Not(HasSubstr("checkpoint")));
}

TEST(Terminal, DebugLinesAreForTheLogFile) {
  Recorder recorder({});
  recorder.terminal({.kind = Event::Kind::log, .level = LogLevel::debug, .text = "detail"});
  EXPECT_EQ(recorder.out, "");
}

TEST(Terminal, ColoursOnlyWhereTheScreenHasThem) {
  EXPECT_EQ(coloured({}, "31", "text"), "text");
  EXPECT_EQ(coloured({.redraws = true, .colours = true}, "31", "text"), "\x1b[31mtext\x1b[0m");
}

}  // namespace
}  // namespace cupel::cli
