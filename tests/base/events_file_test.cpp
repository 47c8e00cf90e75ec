#include "base/events_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support/files.h"

namespace cupel {
namespace {

TEST(EventsFile, CrcHasItsCheckValue) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

// The bytes that tensorboard 2.20's EventFileWriter and protobuf give for the same events.
TEST(EventsFile, WritesTheBytesThatTensorBoardReads) {
  const TemporaryFolder folder;
  EventsFile file(folder / "events");
  file.scalar("loss", 300, 0.5, 1.5);
  file.sync();
  const std::string bytes = read_file(folder / "events");
  const std::string version = bytes.substr(12, 24);
  EXPECT_EQ(version, std::string("\x09\0\0\0\0\0\0\0\0\x1a\x0d"
                                 "brain.Event:2",
                                 24));
  const std::string event = bytes.substr(12 + 24 + 4 + 12, 27);
  EXPECT_EQ(event, std::string("\x09\0\0\0\0\0\0\xf8\x3f\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss"
                               "\x15\0\0\0\x3f",
                               27));
  EXPECT_EQ(bytes.size(), 2 * 16u + 24 + 27);
}

TEST(EventsFile, GoesOnAfterTheStepThatIsKept) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, std::initializer_list<int> steps) {
    EventsFile file(folder / name);
    for (const int step : steps) file.scalar("loss", step, step, 10.0 + step);
    file.sync();
  };
  write("whole", {1, 2, 200, 201});
  write("cut", {1, 2, 300, 400});
  EventsFile again(folder / "cut", 2);
  for (const int step : {200, 201}) again.scalar("loss", step, step, 10.0 + step);
  again.sync();
  EXPECT_EQ(read_file(folder / "cut"), read_file(folder / "whole"));
}

TEST(EventsFile, CutsOffADamagedRecordAtEveryTruncation) {
  const TemporaryFolder folder;
  {
    EventsFile file(folder / "whole");
    for (const int step : {1, 2}) file.scalar("loss", step, 1, 1);
    file.sync();
  }
  const std::string whole = read_file(folder / "whole");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    folder.write("cut", whole.substr(0, size));
    const EventsFile file(folder / "cut");
  }
  folder.write("cut", whole.substr(0, whole.size() - 3));
  EventsFile file(folder / "cut");
  file.scalar("loss", 2, 1, 1);
  file.sync();
  EXPECT_EQ(read_file(folder / "cut"), whole);
}

TEST(EventsFile, AReaderSeesAnEventWithinASecond) {
  const TemporaryFolder folder;
  EventsFile file(folder / "events");
  file.scalar("loss", 1, 1, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  file.scalar("loss", 2, 1, 0);
  EXPECT_EQ(read_file(folder / "events").size(), (16u + 24) + 2 * (16u + 26));
}

// Behind the records is a hole, which costs neither disk nor time.
TEST(EventsFile, GoesOnInAFileOfMoreThanAGibibyte) {
  const TemporaryFolder folder;
  {
    EventsFile file(folder / "events");
    file.scalar("loss", 1, 1, 0);
    file.sync();
  }
  const auto whole = std::filesystem::file_size(folder / "events");
  std::filesystem::resize_file(folder / "events", (uintmax_t{3} << 29));
  const EventsFile again(folder / "events");
  EXPECT_EQ(std::filesystem::file_size(folder / "events"), whole);
}

}  // namespace
}  // namespace cupel
