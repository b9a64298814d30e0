#include "signfold/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "signfold/base/error.h"

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
  void SetUp() override {
    std::string pattern = testing::TempDir() + "signfold_file_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ / name; }
  std::ptrdiff_t files_left() const {
    return std::distance(std::filesystem::directory_iterator(directory_), std::filesystem::directory_iterator());
  }

  std::filesystem::path directory_;
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
  struct stat info {};
  ASSERT_EQ(::stat(path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
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
  EXPECT_THAT([&] { AtomicFile file(directory_); }, ThrowsMessage<Error>(HasSubstr("it is a directory")));
}

TEST_F(FileTest, MessagesNameThePathAndTheReason) {
  const std::string missing = path("none/a");
  EXPECT_THAT([&] { AtomicFile file(missing); },
              ThrowsMessage<Error>(AllOf(HasSubstr(missing), HasSubstr("No such file"))));
  EXPECT_THAT([&] { InputFile file(missing); },
              ThrowsMessage<Error>(AllOf(HasSubstr(missing), HasSubstr("No such file"))));
  EXPECT_THAT([&] { InputFile file(directory_); }, ThrowsMessage<Error>(HasSubstr("directory")));
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
