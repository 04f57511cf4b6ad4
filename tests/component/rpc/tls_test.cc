// Mutual TLS over socket pairs, with certificates of deploy/certs: who trusts whom, and what they say
// when they do not.
#include "rpc/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <kj/async-io.h>

#include <cstdlib>
#include <filesystem>

#include "rpc/faults/stream.h"
#include "rpc/kj_log.h"
#include "tests/component/rpc/regions.h"

namespace meridian::rpc {
namespace {

using ::testing::HasSubstr;

const RegionId kHere = RegionId::of("us-east-1");
const RegionId kThere = RegionId::of("eu-west-1");

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() { make("trusted", ""); }
  ~TlsTest() noexcept override {}

  [[nodiscard]] std::string folder(const std::string& name) const {
    return dir_.path() + "/" + name;
  }
  // Runs deploy/certs for both regions.
  void make(const std::string& name, const std::string& options) const {
    auto line = std::string(MERIDIAN_SOURCE_DIR "/deploy/certs ") + options + " " + folder(name) +
                " us-east-1 eu-west-1 2> /dev/null";
    ASSERT_EQ(std::system(line.c_str()), 0);  // NOLINT(cert-env33-c)
  }

  struct Side {
    TlsCounters counters;
    kj::Own<Tls> tls;
  };
  void load(Side& side, const std::string& certificates, const RegionId& region,
            const std::string& authorities) {
    auto stem = folder(certificates) + "/" + std::string(region.name());
    side.tls = kj::heap<Tls>(
        TlsSettings{stem + ".crt", stem + ".key", folder(authorities) + "/authority.crt"}, region,
        io_.provider->getTimer(), clock_, side.counters, Logger(log_));
  }

  // What each side learns when `here` dials `there`: empty when all is well.
  struct Outcome {
    std::string dialler;
    std::string listener;
    bool names_here = false;
    bool names_there = false;
  };
  Outcome connect(Tls& here, Tls& there, const RegionId& expected = kThere) {
    auto pipe = io_.provider->newTwoWayPipe();
    return connect(here, there, expected, kj::mv(pipe.ends[0]), kj::mv(pipe.ends[1]));
  }
  Outcome connect(Tls& here, Tls& there, const RegionId& expected,
                  kj::Own<kj::AsyncIoStream> near_end, kj::Own<kj::AsyncIoStream> far_end) {
    Outcome out;
    char heard = 0;
    auto explained = [](const kj::Exception& failure) {
      return explain_tls(describe(failure)).value_or("unexplained: " + describe(failure));
    };
    auto listening =
        there.accepted(kj::mv(far_end))
            .then([&out](kj::AuthenticatedStream secured) {
              out.names_here = Tls::names(*secured.peerIdentity, kHere);
              out.names_there = Tls::names(*secured.peerIdentity, kThere);
              auto writing = secured.stream->write("!", 1);
              return writing.attach(kj::mv(secured.stream), kj::mv(secured.peerIdentity));
            })
            .catch_([&](kj::Exception&& failure) { out.listener = explained(failure); })
            .eagerlyEvaluate(nullptr);
    // TLS 1.3 tells whoever dialled of a refusal only when it reads.
    auto dialling =
        here.dialled(kj::mv(near_end), expected)
            .then([&heard](kj::Own<kj::AsyncIoStream> stream) {
              auto reading = stream->read(&heard, 1);
              return reading.attach(kj::mv(stream));
            })
            .catch_([&](kj::Exception&& failure) { out.dialler = explained(failure); })
            .eagerlyEvaluate(nullptr);
    dialling.wait(io_.waitScope);
    listening.wait(io_.waitScope);
    EXPECT_EQ(heard == '!', out.dialler.empty());
    return out;
  }

  test::TempDir dir_;
  test::ShiftedClock clock_;
  std::shared_ptr<test::MemoryLog> log_ = std::make_shared<test::MemoryLog>();
  kj::AsyncIoContext io_ = kj::setupAsyncIo();
  Side here_;
  Side there_;
};

TEST_F(TlsTest, BothSidesLearnWhoTheOtherIs) {
  load(here_, "trusted", kHere, "trusted");
  load(there_, "trusted", kThere, "trusted");
  auto out = connect(*here_.tls, *there_.tls);
  EXPECT_EQ(out.dialler + out.listener, "");
  EXPECT_TRUE(out.names_here);
  EXPECT_FALSE(out.names_there);
  EXPECT_GT(here_.counters.expires_us, clock_.wall_us() + std::int64_t{364} * 86'400'000'000);
}

TEST_F(TlsTest, WhoeverIsDialledMustBeTheOneThatIsMeant) {
  load(here_, "trusted", kHere, "trusted");
  load(there_, "trusted", kThere, "trusted");
  auto out = connect(*here_.tls, *there_.tls, RegionId::of("sa-east-1"));
  EXPECT_THAT(out.dialler, HasSubstr("certificate is that of another region"));
}

TEST_F(TlsTest, AnExpiredCertificateIsRefusedAndCalledSo) {
  make("expired", "--days 0");
  std::filesystem::copy_file(folder("expired") + "/authority.crt", folder("trusted") + "/old.crt");
  load(here_, "expired", kHere, "expired");
  load(there_, "expired", kThere, "expired");
  auto out = connect(*here_.tls, *there_.tls);
  EXPECT_THAT(out.dialler, HasSubstr("the peer's certificate has expired"));
  here_.tls->watch();
  EXPECT_TRUE(log_->contains("tls_certificate_expired"));
}

TEST_F(TlsTest, ACertificateThatHasGrownOldInUseIsCalledSoOnce) {
  load(here_, "trusted", kHere, "trusted");
  here_.tls->watch();
  EXPECT_EQ(log_->count(LogLevel::warn), 0u);
  constexpr std::int64_t kHourUs = std::int64_t{3600} * 1'000'000;
  clock_.shift_us = here_.counters.expires_us - clock_.wall_us() - 13 * 24 * kHourUs;
  here_.tls->watch();
  EXPECT_TRUE(log_->contains("tls_certificate_expires_soon"));
  here_.tls->watch();
  EXPECT_EQ(log_->count(LogLevel::warn), 1u);
  EXPECT_TRUE(here_.tls->reload());
  EXPECT_EQ(log_->count(LogLevel::warn), 2u) << "new files, and they are old as well";
}

TEST_F(TlsTest, AnExpiredCertificateOfTheDiallerIsRefusedAndItIsTold) {
  // The same authority, so that only the time is wrong.
  make("expired", "");
  std::filesystem::copy(folder("expired"), folder("fresh"));
  make("expired", "--days 0 --renew");
  load(here_, "expired", kHere, "expired");
  load(there_, "fresh", kThere, "expired");
  auto out = connect(*here_.tls, *there_.tls);
  EXPECT_THAT(out.dialler, HasSubstr("refuses our certificate: it has expired"));
  EXPECT_THAT(out.listener, HasSubstr("TLS: the peer's certificate"));
}

TEST_F(TlsTest, AnotherAuthorityIsNotTrustedByEitherSide) {
  make("foreign", "");
  load(here_, "trusted", kHere, "trusted");
  load(there_, "foreign", kThere, "foreign");
  auto out = connect(*here_.tls, *there_.tls);
  EXPECT_THAT(out.dialler, HasSubstr("not from an authority that we trust"));
  // The other way about: the one who is dialled finds nothing wrong with itself.
  load(there_, "trusted", kThere, "foreign");
  out = connect(*here_.tls, *there_.tls);
  EXPECT_THAT(out.dialler, HasSubstr("does not trust our authority"));
  EXPECT_THAT(out.listener, HasSubstr("TLS: the peer's certificate"));
}

TEST_F(TlsTest, PlainTextIsNotTakenForTls) {
  load(there_, "trusted", kThere, "trusted");
  auto pipe = io_.provider->newTwoWayPipe();
  std::string listener;
  auto listening = there_.tls->accepted(kj::mv(pipe.ends[1]))
                       .then([](kj::AuthenticatedStream) {},
                             [&listener](kj::Exception&& failure) {
                               listener = explain_tls(describe(failure)).value_or("");
                             })
                       .eagerlyEvaluate(nullptr);
  std::string hello(64, '\0');
  pipe.ends[0]->write(hello.data(), hello.size()).wait(io_.waitScope);
  listening.wait(io_.waitScope);
  EXPECT_THAT(listener, HasSubstr("does not speak TLS"));
}

TEST_F(TlsTest, FilesThatDoNotFitAreNamed) {
  auto complaint = [this](const TlsSettings& settings) -> std::string {
    TlsCounters counters;
    try {
      Tls tls(settings, kHere, io_.provider->getTimer(), clock_, counters, Logger(log_));
      return "";
    } catch (const std::runtime_error& failure) {
      return failure.what();
    }
  };
  auto in = folder("trusted") + "/";
  EXPECT_EQ(complaint({in + "us-east-1.crt", in + "us-east-1.key", in + "authority.crt"}), "");
  EXPECT_THAT(complaint({in + "none.crt", in + "us-east-1.key", in + "authority.crt"}),
              HasSubstr("none.crt cannot be read"));
  EXPECT_THAT(complaint({in + "eu-west-1.crt", in + "eu-west-1.key", in + "authority.crt"}),
              HasSubstr("does not name region us-east-1"));
  EXPECT_THAT(complaint({in + "us-east-1.crt", in + "eu-west-1.key", in + "authority.crt"}),
              HasSubstr("is not the key of"));
  EXPECT_THAT(complaint({in + "us-east-1.crt", in + "us-east-1.crt", in + "authority.crt"}),
              HasSubstr("tls.key"));
  EXPECT_THAT(complaint({in + "us-east-1.key", in + "us-east-1.key", in + "authority.crt"}),
              HasSubstr("is no certificate"));
  EXPECT_THAT(complaint({in + "us-east-1.crt", in + "us-east-1.key", in + "us-east-1.key"}),
              HasSubstr("holds no certificate"));
}

TEST_F(TlsTest, NewFilesAreTakenAndBadOnesAreNot) {
  load(here_, "trusted", kHere, "trusted");
  load(there_, "trusted", kThere, "trusted");
  make("foreign", "");
  // Both authorities for a while; then certificates of the new one.
  auto authorities = folder("trusted") + "/authority.crt";
  auto append = "cat " + folder("foreign") + "/authority.crt >> " + authorities;
  ASSERT_EQ(std::system(append.c_str()), 0);  // NOLINT(cert-env33-c)
  EXPECT_TRUE(here_.tls->reload());
  EXPECT_TRUE(there_.tls->reload());
  auto replace = [this](const char* name) {
    std::filesystem::copy_file(folder("foreign") + "/" + name, folder("trusted") + "/" + name,
                               std::filesystem::copy_options::overwrite_existing);
  };
  replace("us-east-1.crt");
  EXPECT_FALSE(here_.tls->reload()) << "the key is still the old one";
  EXPECT_EQ(here_.counters.loads_failed, 1u);
  EXPECT_TRUE(log_->contains("tls_reload_failed"));
  EXPECT_EQ(connect(*here_.tls, *there_.tls).dialler, "") << "so the old certificate serves on";
  replace("us-east-1.key");
  EXPECT_TRUE(here_.tls->reload());
  EXPECT_EQ(here_.counters.loads, 3u);
  auto out = connect(*here_.tls, *there_.tls);
  EXPECT_EQ(out.dialler + out.listener, "");
}

TEST_F(TlsTest, AHandshakeOverASlowLinkSucceeds) {
  load(here_, "trusted", kHere, "trusted");
  load(there_, "trusted", kThere, "trusted");
  Rng rng(1);
  LinkFaults faults(io_.provider->getTimer(), rng, kHere, Logger(log_));
  auto& link = faults.link(kThere);
  faults.put(kThere, {FaultKind::delay, 60'000, 10, 10, 0});
  faults.put(kThere, {FaultKind::limit, 60'000, 0, 0, 100'000});
  auto pipe = io_.provider->newTwoWayPipe();
  auto out = connect(*here_.tls, *there_.tls, kThere,
                     kj::heap<FaultyStream>(kj::mv(pipe.ends[0]), link), kj::mv(pipe.ends[1]));
  EXPECT_EQ(out.dialler + out.listener, "");
}

TEST(ExplainTlsTest, OtherFailuresAreLeftAlone) {
  EXPECT_FALSE(explain_tls("connection refused"));
  EXPECT_THAT(explain_tls("OpenSSL error; something new").value_or(""), HasSubstr("something new"));
}

}  // namespace
}  // namespace meridian::rpc
