package io.hypercalld.api;

import io.hypercalld.api.cli.DaemonSettings.Certificate;
import io.hypercalld.api.cli.InvalidSetting;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** What proves to clients who serves them. Never instantiated. */
final class Tls {
  private Tls() {}

  /**
   * Encryption with a certificate; none where there is none.
   *
   * @throws InvalidSetting where its files are not what they should be
   */
  static Optional<SslContext> of(Optional<Certificate> certificate) {
    return certificate.map(Tls::read);
  }

  private static SslContext read(Certificate files) {
    for (Path file : List.of(files.chain(), files.key())) {
      if (!Files.isReadable(file)) {
        throw InvalidSetting.of("--tls-cert, --tls-key: %s cannot be read", file);
      }
    }
    try {
      return SslContextBuilder.forServer(files.chain().toFile(), files.key().toFile()).build();
    } catch (IllegalArgumentException | SSLException e) {
      throw InvalidSetting.of(
          "--tls-cert, --tls-key: %s and %s are no certificate and its PKCS#8 key, both as PEM",
          files.chain(), files.key());
    }
  }
}
