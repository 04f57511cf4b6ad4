// Programs that a drill runs: what they print and answer, and their end.
#include "tools/meridian/drill/run_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace meridian::drill {
namespace {

Ran shell(const std::string& script) { return run_command({"sh", "-c", script}); }

TEST(RunCommand, ItsOutputAndItsExitCodeAreTold) {
  auto ran = shell("echo one; echo two; exit 3");
  EXPECT_EQ(ran.output, "one\ntwo\n");
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(run_command({"/no/such/program"}).code, 127);
  EXPECT_EQ(shell("kill -9 $$").code, kKilled);
  // It may close its output before it ends.
  EXPECT_EQ(shell("exec >&-; sleep 0.2; exit 4").code, 4);
}

// As Ctrl-C does, for which the drill has a handler: the answer is not lost, nor taken for a yes.
TEST(RunCommand, ASignalToTheDrillChangesNothing) {
  struct sigaction heard {};
  heard.sa_handler = [](int) {};  // without SA_RESTART
  struct sigaction before {};
  ::sigaction(SIGUSR1, &heard, &before);
  std::thread sender([target = ::pthread_self()] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ::pthread_kill(target, SIGUSR1);
    }
  });
  auto ran = shell("sleep 0.2; echo late; exec >&-; sleep 0.1; exit 1");
  sender.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(ran.output, "late\n");
  EXPECT_EQ(ran.code, 1);
}

TEST(Hook, ItIsAskedWithoutWaitingAndKilledWithWhatItStarted) {
  Hook hook;
  EXPECT_FALSE(hook.running());
  // (The child holds the output open, and would outlive the shell.)
  hook.start({"sh", "-c", "sleep 1000 & sleep 1000"});
  EXPECT_TRUE(hook.running());
  EXPECT_FALSE(hook.done());
  hook.stop();
  EXPECT_EQ(hook.take().code, kKilled);
  EXPECT_FALSE(hook.running());
  hook.start({"sh", "-c", "exit 7"});
  EXPECT_EQ(hook.take().code, 7);
}

TEST(Hook, WhoGivesItUpDoesNotWaitForIt) {
  Hook hook;
  hook.start({"sleep", "1000"});
}

}  // namespace
}  // namespace meridian::drill
