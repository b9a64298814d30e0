#include "signfold/base/pipe.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"
#include "signfold/base/interrupt.h"

namespace signfold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Pipe : public testing::Test {
 public:
  ~Pipe() override {
    close_read_end();
    close_write_end();
  }

 protected:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read_end() { close(ends_[0]); }
  void close_write_end() { close(ends_[1]); }

 private:
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  std::array<int, 2> ends_{};
};

/// More than a pipe and the buffer hold.
std::vector<std::byte> many_bytes() {
  std::vector<std::byte> bytes(1'000'003);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i % 251);
  return bytes;
}

TEST_F(Pipe, CarriesBytesInOrderWhateverTheirPieces) {
  const std::vector<std::byte> bytes = many_bytes();
  std::thread writer([&] {
    PipeOutput out(write_end(), "the pipe");
    std::size_t at = 0;
    for (std::size_t piece = 1; at < bytes.size(); piece = piece * 3 + 1) {
      const std::size_t size = std::min(piece, bytes.size() - at);
      out.write(std::span(bytes).subspan(at, size));
      at += size;
    }
    out.commit();
    EXPECT_EQ(out.size(), bytes.size());
    close_write_end();
  });
  PipeInput in(read_end(), "the pipe");
  std::vector<std::byte> back = in.read_bytes(bytes.size(), "everything");
  EXPECT_TRUE(back == bytes);
  std::byte more{};
  EXPECT_EQ(in.read({&more, 1}), 0U);
  writer.join();
}

TEST_F(Pipe, AnEndThatComesTooEarlyIsAnError) {
  std::array<std::byte, 10> ten{};
  ASSERT_EQ(::write(write_end(), ten.data(), ten.size()), 10);
  close_write_end();
  PipeInput in(read_end(), "the pipe");
  // A promise of 2^40 bytes costs no more than what comes.
  EXPECT_THAT([&] { in.read_bytes(std::uint64_t{1} << 40, "a block"); },
              ThrowsMessage<Error>(HasSubstr("the pipe is truncated: it ends inside a block")));
}

TEST_F(Pipe, AReaderThatIsGoneIsAnError) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  close_read_end();
  PipeOutput out(write_end(), "the pipe");
  EXPECT_THAT([&] { out.write(many_bytes()); },
              ThrowsMessage<Error>(HasSubstr("cannot write the pipe: its reader is gone")));
  std::signal(SIGPIPE, before);
}

TEST_F(Pipe, WaitingEndsWhenTheUserAsks) {
  std::array<std::byte, 10> ten{};
  PipeInput in(read_end(), "the pipe");
  PipeOutput out(write_end(), "the pipe");
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    request_interrupt();
  });
  EXPECT_THAT([&] { in.read(ten); }, ThrowsMessage<Error>(HasSubstr("interrupted")));
  EXPECT_THAT([&] { out.write(many_bytes()); }, ThrowsMessage<Error>(HasSubstr("interrupted")));
  user.join();
  clear_interrupt();
}

/// A named pipe in a folder of its own.
class NamedPipe : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0); }
  void TearDown() override { clear_interrupt(); }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("pipe");
};

TEST_F(NamedPipe, CarriesBytesWhicheverEndIsOpenedFirst) {
  const std::vector<std::byte> bytes = many_bytes();
  for (const bool writer_waits : {false, true}) {
    std::thread writer([&] {
      if (!writer_waits) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      PipeOutput out(path_);
      out.write(bytes);
      out.commit();
    });
    if (writer_waits) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    PipeInput in(path_);
    EXPECT_TRUE(in.read_bytes(bytes.size(), "everything") == bytes);
    std::byte more{};
    EXPECT_EQ(in.read({&more, 1}), 0U);
    writer.join();
  }
}

TEST_F(NamedPipe, WaitingForTheOtherEndEndsWhenTheUserAsks) {
  // Whoever waits inside open() does so until somebody opens the other end: a test that fails must end, too.
  const std::jthread rescue([path = path_](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (i > 50) ::close(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    }
  });
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    request_interrupt();
  });
  std::array<std::byte, 10> ten{};
  EXPECT_THAT([&] { PipeOutput out(path_); }, ThrowsMessage<Error>(HasSubstr("interrupted")));
  EXPECT_THAT([&] { PipeInput(path_).read(ten); }, ThrowsMessage<Error>(HasSubstr("interrupted")));
  user.join();
}

TEST(Devices, PathsAreNamedInErrors) {
  const std::string missing = testing::TempDir() + "no/such/pipe";
  EXPECT_THAT([&] { PipeInput in(missing); }, ThrowsMessage<Error>(HasSubstr(missing + ": No such file")));
  EXPECT_THAT([&] { PipeOutput out(missing); }, ThrowsMessage<Error>(HasSubstr(missing + ": No such file")));
  PipeOutput full("/dev/full");
  EXPECT_THAT([&] { full.write(many_bytes()); }, ThrowsMessage<Error>(HasSubstr("cannot write /dev/full: No space")));
}

}  // namespace
}  // namespace signfold
