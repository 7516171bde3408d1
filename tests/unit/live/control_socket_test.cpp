// SPDX-License-Identifier: Apache-2.0
#include "sim/live/control_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace nicroscope::sim {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class ControlSocketTest : public ::testing::Test {
 protected:
  ControlSocketTest() {
    std::string name = (fs::temp_directory_path() / "control_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~ControlSocketTest() override {
    stop();
    for (const int client : raw_) ::close(client);
    fs::remove_all(folder_);
  }

  [[nodiscard]] std::string path() const { return (folder_ / "nic0.sock").string(); }

  /// Serves in a thread of its own: the words come back, one a line; status is their number.
  void start() {
    auto made = ControlSocket::listen(path(), [](const std::vector<std::string>& words) {
      CommandReply reply;
      reply.status = static_cast<int>(words.size());
      for (const std::string& word : words) {
        reply.out += word == "much" ? std::string(1'000'000, 'x') : word + '\n';
      }
      return reply;
    });
    ASSERT_TRUE(made) << made.error();
    socket_ = std::move(*made);
    server_ = std::thread([this] {
      std::vector<pollfd> watched;
      while (!stopping_) {
        watched.clear();
        socket_->watch(watched);
        if (::poll(watched.data(), watched.size(), 5) > 0) socket_->serve();
      }
    });
  }
  void stop() {
    stopping_ = true;
    if (server_.joinable()) server_.join();
    socket_.reset();
  }
  /// A client that does as it pleases.
  [[nodiscard]] int connect_raw() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    raw_.push_back(::socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(::connect(raw_.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    return raw_.back();
  }
  /// What comes back for `request`, sent as it is.
  [[nodiscard]] std::string exchange(const std::string& request) {
    const int client = connect_raw();
    EXPECT_EQ(::send(client, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    ::shutdown(client, SHUT_WR);
    std::string reply(4096, '\0');
    const ssize_t got = ::recv(client, reply.data(), reply.size(), MSG_WAITALL);
    reply.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return reply;
  }

  fs::path folder_;
  std::unique_ptr<ControlSocket> socket_;
  std::thread server_;
  std::atomic<bool> stopping_ = false;
  std::vector<int> raw_;
};

TEST_F(ControlSocketTest, AnswersACommand) {
  start();
  const auto reply = send_command(path(), {"ethtool", "-C", "eth0", "a \"b\"\n"});
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->status, 4);
  EXPECT_EQ(reply->out, "ethtool\n-C\neth0\na \"b\"\n\n");
  EXPECT_EQ(reply->err, "");
}

TEST_F(ControlSocketTest, AnswersMoreThanTheSocketHolds) {
  start();
  const auto reply = send_command(path(), {"much"});
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->out.size(), 1'000'000U);
}

TEST_F(ControlSocketTest, RefusesWhatIsNoListOfWords) {
  start();
  for (const char* const request : {"", "{", "{}", "[1]", "[[]]", "\"a\"", "[\"a\"] b", "\xff"}) {
    EXPECT_THAT(exchange(request), HasSubstr("a request is a JSON array of strings")) << request;
  }
  EXPECT_EQ(send_command(path(), {"a"})->status, 1);
}

TEST_F(ControlSocketTest, RefusesARequestThatIsTooLong) {
  start();
  const int client = connect_raw();
  const std::string request(ControlSocket::kLongestRequest + 1, '[');
  ASSERT_EQ(::send(client, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string reply(4096, '\0');
  ASSERT_GT(::recv(client, reply.data(), reply.size(), 0), 0);  // without closing its half
  EXPECT_THAT(reply, HasSubstr("at most 65536 bytes"));
}

TEST_F(ControlSocketTest, SilentClientsKeepNobodyOut) {
  start();
  for (std::size_t i = 0; i < 3 * ControlSocket::kClients; ++i) (void)connect_raw();
  for (const int client : raw_) ::send(client, "[", 1, MSG_NOSIGNAL);
  const auto reply = send_command(path(), {"a", "b"});
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->status, 2);
}

TEST_F(ControlSocketTest, OneThatVanishesHarmsNobody) {
  start();
  for (int i = 0; i < 50; ++i) {
    const int client = connect_raw();
    ::send(client, "[\"much\"]", 8, MSG_NOSIGNAL);
    ::shutdown(client, i % 2 == 0 ? SHUT_WR : SHUT_RDWR);
    ::close(client);
    raw_.pop_back();
  }
  EXPECT_EQ(send_command(path(), {"a"})->status, 1);
}

TEST_F(ControlSocketTest, TakesThePlaceOfADeadInstanceButNotOfALivingOne) {
  start();
  const auto second = ControlSocket::listen(path(), {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("another instance listens there"));
  stop();
  EXPECT_FALSE(fs::exists(path()));

  // Bound and left, as by a program that was killed.
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path().data(), path().size());
  ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(left);
  ASSERT_TRUE(fs::exists(path()));
  EXPECT_TRUE(ControlSocket::listen(path(), {}));
}

TEST_F(ControlSocketTest, LeavesAFileAlone) {
  std::ofstream(path()) << "precious";
  const auto made = ControlSocket::listen(path(), {});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error(), HasSubstr("is no socket"));
  EXPECT_EQ(fs::file_size(path()), 8U);
}

TEST_F(ControlSocketTest, SaysWhyThereIsNoInstance) {
  const auto reply = send_command(path(), {"a"});
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error(), HasSubstr("No such file"));
  EXPECT_THAT(send_command(std::string(200, 'x'), {}).error(), HasSubstr("1 to 107 bytes"));
}

TEST(ControlPath, IsInAFolderOfTheUsersOwn) {
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(control_path("nic0"), "/run/user/7/nicroscope/nic0.sock");
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(control_path("nic0"), "/tmp/nicroscope-" + std::to_string(::getuid()) + "/nic0.sock");
}

}  // namespace
}  // namespace nicroscope::sim
