#include "rpc/tls.h"

#include <fmt/format.h>
#include <kj/exception.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "rpc/kj_log.h"

namespace meridian::rpc {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

std::string content_of(const std::string& setting, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (in) content << in.rdbuf();
  if (!in || content.str().empty())
    throw std::runtime_error(fmt::format("{} {} cannot be read", setting, path));
  return content.str();
}

// Runs `parse`, which throws KJ's exceptions, and names the file.
template <typename Parse>
auto parsed(const std::string& setting, const std::string& path, Parse parse) {
  std::optional<decltype(parse())> out;
  KJ_IF_MAYBE (failure, kj::runCatchingExceptions([&] { out.emplace(parse()); }))
    throw std::runtime_error(fmt::format("{} {}: {}", setting, path, describe(*failure)));
  return std::move(*out);
}

// An authority's file may hold several certificates: the old and the new one, while they change.
std::vector<kj::TlsCertificate> authorities_of(const std::string& path) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::string content = content_of("tls.authority", path);
  std::vector<kj::TlsCertificate> out;
  for (std::size_t at = 0;;) {
    auto end = content.find(kEnd, at);
    if (end == std::string::npos) break;
    auto one = content.substr(at, end + kEnd.size() - at) + "\n";
    out.push_back(parsed("tls.authority", path,
                         [&one] { return kj::TlsCertificate(kj::StringPtr(one.c_str())); }));
    at = end + kEnd.size();
  }
  if (out.empty()) throw std::runtime_error("tls.authority " + path + " holds no certificate");
  return out;
}

std::unique_ptr<BIO, decltype(&BIO_free)> memory_of(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

Certificate first_of(const std::string& pem) {
  auto in = memory_of(pem);
  return {PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free};
}

// Nobody is there to type one.
int no_passphrase(char* /*out*/, int /*size*/, int /*writing*/, void* /*user*/) { return 0; }

std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_of(const std::string& pem) {
  auto in = memory_of(pem);
  return {PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free};
}

std::string common_name(X509* certificate) {
  std::array<char, 256> out{};
  auto length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                          out.data(), static_cast<int>(out.size()));
  return length < 0 ? "" : std::string(out.data(), static_cast<std::size_t>(length));
}

std::int64_t expiry_us(X509* certificate) {
  std::tm at{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &at) != 1) return 0;
  return static_cast<std::int64_t>(::timegm(&at)) * 1'000'000;
}

}  // namespace

struct Tls::Contexts {
  // Of their own: KJ's client says why it refuses a certificate only if OpenSSL itself does not.
  kj::Own<kj::TlsContext> client;
  kj::Own<kj::TlsContext> server;
  std::int64_t expires_us = 0;
};

Tls::Tls(TlsSettings settings, RegionId region, kj::Timer& timer, const Clock& clock,
         TlsCounters& counters, Logger log)
    : settings_(std::move(settings)),
      region_(region),
      timer_(timer),
      clock_(clock),
      counters_(counters),
      log_(std::move(log)) {
  stamp_ = stamp();
  use(load());
}

Tls::~Tls() noexcept {}

Tls::Contexts Tls::load() const {
  auto pem = content_of("tls.certificate", settings_.certificate);
  auto key = content_of("tls.key", settings_.key);
  auto authorities = authorities_of(settings_.authority);
  auto own = first_of(pem);
  if (!own)
    throw std::runtime_error("tls.certificate " + settings_.certificate + " is no certificate");
  auto name = region_.name();
  if (X509_check_host(own.get(), name.data(), name.size(), 0, nullptr) != 1 ||
      common_name(own.get()) != name)
    throw std::runtime_error(fmt::format(
        "tls.certificate {} does not name region {} as its DNS name and its common name",
        settings_.certificate, name));
  // (KJ would find out at the first handshake.)
  auto secret = key_of(key);
  if (!secret) throw std::runtime_error("tls.key " + settings_.key + " is no private key");
  if (X509_check_private_key(own.get(), secret.get()) != 1)
    throw std::runtime_error(fmt::format("tls.key {} is not the key of tls.certificate {}",
                                         settings_.key, settings_.certificate));
  kj::TlsKeypair pair{
      parsed("tls.key", settings_.key,
             [&key] { return kj::TlsPrivateKey(kj::StringPtr(key.c_str()), nullptr); }),
      parsed("tls.certificate", settings_.certificate,
             [&pem] { return kj::TlsCertificate(kj::StringPtr(pem.c_str())); })};
  kj::TlsContext::Options options;
  options.useSystemTrustStore = false;
  options.trustedCertificates = kj::arrayPtr(authorities.data(), authorities.size());
  options.defaultKeypair = pair;
  options.minVersion = kj::TlsVersion::TLS_1_2;
  auto make = [&options](bool verify) {
    options.verifyClients = verify;
    return kj::heap<kj::TlsContext>(options);
  };
  Contexts out;
  out.client = parsed("tls.key", settings_.key, [&make] { return make(false); });
  out.server = parsed("tls.key", settings_.key, [&make] { return make(true); });
  out.expires_us = expiry_us(own.get());
  return out;
}

void Tls::use(Contexts contexts) {
  contexts_ = std::make_shared<Contexts>(std::move(contexts));
  counters_.expires_us = contexts_->expires_us;
  ++counters_.loads;
  expiry_told_ = false;
  soon_told_ = false;
  log_.info("tls_certificate_loaded", "region={} file={} days_left={}", region_.name(),
            settings_.certificate, left_ms() / (24 * 3600 * 1000));
  tell_if_soon();
}

std::int64_t Tls::left_ms() const { return (contexts_->expires_us - clock_.wall_us()) / 1000; }

void Tls::tell_if_soon() {
  auto left = left_ms();
  if (soon_told_ || left <= 0 || left >= kSoonMs) return;
  soon_told_ = true;
  log_.warn("tls_certificate_expires_soon", "file={} hours_left={}", settings_.certificate,
            left / (3600 * 1000));
}

Tls::Stamp Tls::stamp() const {
  Stamp out{};
  std::size_t at = 0;
  for (const auto* path : {&settings_.certificate, &settings_.key, &settings_.authority}) {
    struct stat found{};
    if (::stat(path->c_str(), &found) == 0) {
      out[at] = static_cast<std::int64_t>(found.st_ino);
      out[at + 1] = static_cast<std::int64_t>(found.st_size);
      out[at + 2] = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec;
    }
    at += 3;
  }
  return out;
}

bool Tls::reload() {
  stamp_ = stamp();
  try {
    use(load());
    return true;
  } catch (const std::exception& failure) {
    ++counters_.loads_failed;
    log_.error("tls_reload_failed", "reason=\"{}\" consequence=\"the old files stay in use\"",
               failure.what());
    return false;
  }
}

void Tls::look() {
  if (stamp() != stamp_) reload();
  tell_if_soon();
  if (!expiry_told_ && contexts_->expires_us <= clock_.wall_us()) {
    expiry_told_ = true;
    log_.error("tls_certificate_expired", "file={} region={}", settings_.certificate,
               region_.name());
  }
}

void Tls::watch() {
  look();
  looking_ = look_on().eagerlyEvaluate([this](kj::Exception&& failure) {
    log_.error("tls_watch_failed", "reason=\"{}\"", describe(failure));
  });
}

kj::Promise<void> Tls::look_on() {
  return timer_.afterDelay(kLookMs * kj::MILLISECONDS).then([this] {
    look();
    return look_on();
  });
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Tls::dialled(kj::Own<kj::AsyncIoStream> stream,
                                                     const RegionId& expected) {
  auto contexts = contexts_;
  auto name = kj::heapString(expected.name().data(), expected.name().size());
  auto wrapped = contexts->client->wrapClient(kj::mv(stream), name);
  return wrapped.attach(kj::mv(name), kj::mv(contexts));
}

kj::Promise<kj::AuthenticatedStream> Tls::accepted(kj::Own<kj::AsyncIoStream> stream) {
  auto contexts = contexts_;
  kj::AuthenticatedStream plain{kj::mv(stream), kj::UnknownPeerIdentity::newInstance()};
  auto wrapped = contexts->server->wrapServer(kj::mv(plain));
  return wrapped.attach(kj::mv(contexts));
}

bool Tls::names(kj::PeerIdentity& identity, const RegionId& region) {
  auto name = kj::downcast<kj::TlsPeerIdentity>(identity).getCommonName();
  return std::string_view(name.begin(), name.size()) == region.name();
}

kj::Promise<kj::Own<kj::AsyncIoStream>> TlsDialer::dial() {
  return inner_->dial().then([this](kj::Own<kj::AsyncIoStream> stream) {
    return tls_.dialled(kj::mv(stream), expected_);
  });
}

std::optional<std::string> explain_tls(const std::string& failure) {
  static constexpr std::pair<std::string_view, std::string_view> kMeanings[] = {
      {"alert certificate expired", "the peer refuses our certificate: it has expired"},
      {"alert unknown ca", "the peer refuses our certificate: it does not trust our authority"},
      {"alert certificate required", "the peer wants a certificate and got none"},
      {"alert bad certificate", "the peer refuses our certificate"},
      {"certificate has expired", "the peer's certificate has expired"},
      {"certificate is not yet valid", "the peer's certificate is not valid yet"},
      {"ostname mismatch", "the peer's certificate is that of another region"},
      {"self-signed certificate", "the peer's certificate is not from an authority that we trust"},
      {"self signed certificate", "the peer's certificate is not from an authority that we trust"},
      {"local issuer certificate", "the peer's certificate is not from an authority that we trust"},
      {"certificate signature failure",
       "the peer's certificate is not from an authority that we trust"},
      {"wrong version number", "the peer does not speak TLS"},
      {"certificate verify failed", "the peer's certificate is expired or not from our authority"},
  };
  auto says = [&failure](std::string_view mark) {
    return failure.find(mark) != std::string::npos;
  };
  if (!says("OpenSSL") && !says("SSL routines") && !says("TLS")) return std::nullopt;
  for (const auto& [mark, meaning] : kMeanings)
    if (says(mark)) return fmt::format("TLS: {}", meaning);
  return "TLS: " + failure;
}

}  // namespace meridian::rpc
