#include "signfold/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "signfold/base/error.h"
#include "signfold/base/folder_for_test.h"

namespace {
std::atomic<int> calls_of_umask{0};
}  // namespace

/// In the place of the C library's, also for the library under test.
extern "C" mode_t umask(mode_t mask) noexcept {
  ++calls_of_umask;
  return static_cast<mode_t>(::syscall(SYS_umask, mask));
}

namespace signfold {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

class FileTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.path(name); }
  std::ptrdiff_t files_left() const {
    return std::distance(std::filesystem::directory_iterator(folder_.path()), std::filesystem::directory_iterator());
  }

  static mode_t permissions(const std::string& file) {
    struct stat info {};
    EXPECT_EQ(::stat(file.c_str(), &info), 0);
    return info.st_mode & 0777U;
  }

  TemporaryFolder folder_;
};

TEST_F(FileTest, CommitMakesTheFileAppearWhole) {
  AtomicFile file(path("a"));
  file.write(bytes_of("....5678"));
  file.rewrite(0, bytes_of("1234"));
  file.write(bytes_of("9"));
  EXPECT_EQ(file.size(), 9U);
  EXPECT_FALSE(std::filesystem::exists(path("a")));
  file.commit();
  EXPECT_EQ(read_file(path("a"), 100), bytes_of("123456789"));
  EXPECT_EQ(files_left(), 1);
}

TEST_F(FileTest, WithoutCommitNothingIsLeftAndTheOldFileStays) {
  write_file(path("a"), bytes_of("old"));
  { AtomicFile(path("a")).write(bytes_of("new")); }
  EXPECT_EQ(read_file(path("a"), 100), bytes_of("old"));
  EXPECT_EQ(files_left(), 1);
}

TEST_F(FileTest, CommitReplacesTheOldFile) {
  write_file(path("a"), bytes_of("old"));
  write_file(path("a"), bytes_of("new"));
  EXPECT_EQ(read_file(path("a"), 100), bytes_of("new"));
}

TEST_F(FileTest, PermissionsFollowTheUmask) {
  const mode_t before = ::umask(027);
  write_file(path("a"), {});
  ::umask(before);
  EXPECT_EQ(permissions(path("a")), 0640U);
}

TEST_F(FileTest, AFileThatIsReplacedKeepsItsPermissions) {
  for (const mode_t mode : {0600U, 0444U, 0664U}) {
    write_file(path("a"), {});
    ASSERT_EQ(::chmod(path("a").c_str(), mode), 0);
    AtomicFile file(path("a"));
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      EXPECT_EQ(permissions(entry.path()) & 0077U & ~mode, 0U) << entry.path() << ": others could read what is written";
    }
    file.commit();
    EXPECT_EQ(permissions(path("a")), mode);
  }
}

TEST_F(FileTest, TheUmaskIsLeftAlone) {
  // It belongs to the whole process: a file that another thread makes meanwhile would have another one.
  const int before = calls_of_umask;
  write_file(path("a"), {});
  write_file(path("a"), {});
  EXPECT_EQ(calls_of_umask, before);
}

TEST_F(FileTest, WhatALinkLeadsToIsWrittenAndTheLinkStays) {
  std::filesystem::create_directory(path("folder"));
  write_file(path("folder/a"), bytes_of("old"));
  std::filesystem::create_symlink("folder/a", path("relative"));
  std::filesystem::create_symlink(path("relative"), path("absolute"));
  std::filesystem::create_symlink("folder/new", path("dangling"));
  for (const auto& [link, target] : {std::pair{"relative", "a"}, {"absolute", "a"}, {"dangling", "new"}}) {
    SCOPED_TRACE(link);
    write_file(path(link), bytes_of(link));
    EXPECT_TRUE(std::filesystem::is_symlink(path(link)));
    EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(path("folder") + "/" + target)));
    EXPECT_EQ(read_file(path(link), 100), bytes_of(link));
  }
  EXPECT_EQ(files_left(), 4);
  // What a killed writer leaves lies beside the file, and is found by whichever name comes next.
  std::ofstream(path("folder/a.signfold-AbC123.tmp")) << "left over";
  write_file(path("absolute"), {});
  EXPECT_FALSE(std::filesystem::exists(path("folder/a.signfold-AbC123.tmp")));
}

TEST_F(FileTest, LinksThatLeadNowhereStayAndAreExplained) {
  std::filesystem::create_symlink("none/a", path("dangling"));
  std::filesystem::create_symlink("circle", path("circle"));
  EXPECT_THAT([&] { AtomicFile file(path("dangling")); },
              ThrowsMessage<Error>(AllOf(HasSubstr(path("dangling") + ", a link to "), HasSubstr("No such file"))));
  EXPECT_THAT([&] { AtomicFile file(path("circle")); }, ThrowsMessage<Error>(HasSubstr("its links lead in a circle")));
  EXPECT_EQ(files_left(), 2);
}

TEST_F(FileTest, OpenFilesOfProcessesAreNotReplaced) {
  write_file(path("a"), bytes_of("old"));
  const int open = ::open(path("a").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(open, 0);
  const std::string name = "/proc/self/fd/" + std::to_string(open);
  std::filesystem::create_symlink(name, path("link"));  // as /dev/stdout is
  for (const std::string& each : {name, "/dev/fd/" + std::to_string(open), path("link")}) {
    EXPECT_THAT([&] { AtomicFile file(each); },
                ThrowsMessage<Error>(AllOf(HasSubstr(each), HasSubstr("name that file itself"))));
  }
  ::close(open);
  EXPECT_EQ(std::filesystem::read_symlink(path("link")), name);
  EXPECT_EQ(files_left(), 2);
}

TEST_F(FileTest, PathsOfTheSameFileAreRecognised) {
  write_file(path("a"), {});
  std::filesystem::create_directory(path("folder"));
  std::filesystem::create_symlink("../a", path("folder/link"));
  std::filesystem::create_symlink("new", path("dangling"));
  EXPECT_TRUE(same_file(path("a"), path("folder/../a")));
  EXPECT_TRUE(same_file(path("a"), path("folder/link")));
  EXPECT_TRUE(same_file(path("new"), path("dangling")));
  EXPECT_TRUE(same_file("new", "./new"));
  EXPECT_FALSE(same_file(path("a"), path("new")));
  EXPECT_FALSE(same_file(path("a"), ""));
  EXPECT_FALSE(same_file("", ""));
  EXPECT_FALSE(same_file("/dev/fd/1000", "/dev/fd/1001"));
}

TEST_F(FileTest, AFailedCommitLeavesNothing) {
  AtomicFile file(path("a"));
  std::filesystem::create_directory(path("a"));  // rename cannot replace a directory
  EXPECT_THAT([&] { file.commit(); }, ThrowsMessage<Error>(HasSubstr(path("a"))));
  EXPECT_EQ(files_left(), 1);
}

TEST_F(FileTest, WhatAKilledWriterLeftIsRemovedByTheNextOne) {
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(path("a"));
    file.write(bytes_of("half"));
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(files_left(), 1);
  ASSERT_FALSE(std::filesystem::exists(path("a")));
  write_file(path("b"), bytes_of("another path"));
  EXPECT_EQ(files_left(), 2);
  write_file(path("a"), bytes_of("whole"));
  EXPECT_EQ(read_file(path("a"), 100), bytes_of("whole"));
  EXPECT_EQ(files_left(), 2);
}

TEST_F(FileTest, WritersOfTheSamePathLeaveEachOtherAlone) {
  AtomicFile first(path("a"));
  first.write(bytes_of("first"));
  AtomicFile second(path("a"));
  second.write(bytes_of("second"));
  EXPECT_EQ(files_left(), 2);
  second.commit();
  EXPECT_EQ(read_file(path("a"), 100), bytes_of("second"));
  first.commit();
  EXPECT_EQ(read_file(path("a"), 100), bytes_of("first"));
  EXPECT_EQ(files_left(), 1);
}

TEST_F(FileTest, OnlyNamesOfTemporaryFilesAreRemoved) {
  // The same start, the same end, another length, a directory, a link: none of these is a leftover.
  for (const char* name :
       {"a.signfold-12345.tmp", "a.signfold-1234567.tmp", "a.signfold-123456", "b.signfold-123456.tmp"}) {
    std::ofstream(path(name)) << "mine";
  }
  std::filesystem::create_directory(path("a.signfold-111111.tmp"));
  std::filesystem::create_symlink(path("b.signfold-123456.tmp"), path("a.signfold-222222.tmp"));
  write_file(path("a"), bytes_of("x"));
  EXPECT_EQ(files_left(), 7);
  std::ofstream(path("a.signfold-AbC123.tmp")) << "left over";
  write_file(path("a"), bytes_of("x"));
  EXPECT_EQ(files_left(), 7);
}

TEST_F(FileTest, DevicesAndDirectoriesAreNotReplaced) {
  EXPECT_THAT([] { AtomicFile file("/dev/null"); }, ThrowsMessage<Error>(HasSubstr("it is not a regular file")));
  EXPECT_THAT([&] { AtomicFile file(folder_.path()); }, ThrowsMessage<Error>(HasSubstr("it is a directory")));
  EXPECT_THAT([] { AtomicFile file("/dev/nul"); }, ThrowsMessage<Error>(HasSubstr("a file in /dev")));
}

TEST_F(FileTest, ANamedPipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT([&] { InputFile file(path("pipe")); }, ThrowsMessage<Error>(HasSubstr("it is not a regular file")));
}

TEST_F(FileTest, MessagesNameThePathAndTheReason) {
  const std::string missing = path("none/a");
  EXPECT_THAT([&] { AtomicFile file(missing); },
              ThrowsMessage<Error>(AllOf(HasSubstr(missing), HasSubstr("No such file"))));
  EXPECT_THAT([&] { InputFile file(missing); },
              ThrowsMessage<Error>(AllOf(HasSubstr(missing), HasSubstr("No such file"))));
  EXPECT_THAT([&] { InputFile file(folder_.path()); }, ThrowsMessage<Error>(HasSubstr("directory")));
  write_file(path("a"), bytes_of("12345"));
  EXPECT_THAT([&] { read_file(path("a"), 4); }, ThrowsMessage<Error>(AllOf(HasSubstr(path("a")), HasSubstr("5"))));
  AtomicFile file(path("b"));
  EXPECT_THROW(file.rewrite(0, bytes_of("1")), Error);
}

TEST_F(FileTest, ReadsSeeksAndNoticesTheEnd) {
  write_file(path("a"), bytes_of("12345678"));
  InputFile file(path("a"));
  EXPECT_EQ(file.size(), 8U);
  std::vector<std::byte> part(3);
  file.seek(4);
  file.read_exactly(part, "the middle");
  EXPECT_EQ(part, bytes_of("567"));
  EXPECT_THAT([&] { file.read_exactly(part, "the tail"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("truncated"), HasSubstr("the tail"))));
  file.seek(6);
  EXPECT_EQ(file.read(part), 2U);
}

}  // namespace
}  // namespace signfold
