package io.hypercalld.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.cli.InvalidSetting;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.client.Client;
import io.hypercalld.api.client.Exit;
import io.hypercalld.api.client.Terminal;
import io.hypercalld.api.platform.PlatformSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A daemon behind TLS, and behind a socket in the file system. */
final class ServingTest {
  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir Path directory;

  private static RunningDaemon start(String... options) {
    List<String> all = new ArrayList<>(List.of("--port", "0"));
    all.addAll(List.of(options));
    return RunningDaemon.start(
        StartOptions.parse(all, Map.of()).settings(), PlatformSource.named("two-socket").load());
  }

  /** A certificate for this host that nobody has signed but itself, and its key. */
  private KeyStore certificate(String name) throws Exception {
    Path store = directory.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "daemon",
                "-keyalg",
                "EC",
                "-dname",
                "CN=hypercalld",
                "-ext",
                "SAN=ip:127.0.0.1,dns:localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), UTF_8);
    assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(keytool.exitValue()).as(said).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream file = Files.newInputStream(store)) {
      keys.load(file, PASSWORD);
    }
    write(name + ".crt", "CERTIFICATE", keys.getCertificate("daemon").getEncoded());
    write(name + ".key", "PRIVATE KEY", keys.getKey("daemon", PASSWORD).getEncoded());
    return keys;
  }

  private void write(String file, String kind, byte[] der) throws IOException {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(
        directory.resolve(file),
        "-----BEGIN %1$s-----%n%2$s%n-----END %1$s-----%n".formatted(kind, text));
  }

  private RunningDaemon startEncrypted(String certificate, String key, String... more) {
    List<String> options =
        new ArrayList<>(
            List.of(
                "--tls-cert",
                directory.resolve(certificate).toString(),
                "--tls-key",
                directory.resolve(key).toString()));
    options.addAll(List.of(more));
    return start(options.toArray(String[]::new));
  }

  private static SSLContext trusting(KeyStore keys) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("daemon", keys.getCertificate("daemon"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  private static int status(HttpClient client, String url) throws Exception {
    return client
        .send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString())
        .statusCode();
  }

  /** What a command prints that asks with these variables. */
  private static String command(Map<String, String> environment, String... words) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Exit exit =
        Client.run(
            List.of(words),
            environment,
            new Terminal(
                InputStream.nullInputStream(),
                new PrintStream(out, true, UTF_8),
                new PrintStream(err, true, UTF_8),
                _ -> {}));
    return exit == Exit.OK ? out.toString(UTF_8) : exit + " " + err.toString(UTF_8);
  }

  @Test
  void tls_isServedToThoseWhoTrustIt_andNothingElseIs() throws Exception {
    KeyStore keys = certificate("own");
    certificate("other");
    try (RunningDaemon daemon = startEncrypted("own.crt", "own.key");
        HttpClient trusting = HttpClient.newBuilder().sslContext(trusting(keys)).build();
        HttpClient doubting = HttpClient.newHttpClient()) {
      String url = daemon.url();
      String plain = url.replaceFirst("^https", "http");
      String own = directory.resolve("own.crt").toString();
      String other = directory.resolve("other.crt").toString();

      assertThat(url).startsWith("https://127.0.0.1:");
      assertThat(status(trusting, url + "/v1")).isEqualTo(200);
      assertThatThrownBy(() -> status(doubting, url + "/v1"))
          .isInstanceOf(SSLHandshakeException.class);
      assertThatThrownBy(() -> status(doubting, plain + "/v1")).isInstanceOf(IOException.class);
      assertThat(command(Map.of("HV_URL", url, "HV_CACERT", own), "domain", "list", "-o", "name"))
          .isEqualTo("0\n");
      assertThat(command(Map.of("HV_URL", url, "HV_CACERT", other), "domain", "list"))
          .startsWith("UNREACHABLE hypercalld: " + url + " cannot be asked: ");
    }
  }

  @Test
  void tls_withAKeyThatIsNotTheCertificates_orAFileThatIsNone_doesNotStart() throws Exception {
    certificate("own");
    Files.writeString(directory.resolve("none.crt"), "no certificate");

    assertThatThrownBy(() -> startEncrypted("none.crt", "own.key"))
        .isInstanceOfSatisfying(
            InvalidSetting.class,
            wrong -> assertThat(wrong.line()).contains("are no certificate and its PKCS#8 key"));
    assertThatThrownBy(() -> startEncrypted("own.crt", "absent.key"))
        .isInstanceOfSatisfying(
            InvalidSetting.class,
            wrong -> assertThat(wrong.line()).endsWith("absent.key cannot be read"));
  }

  private static String ask(Path socket, String path) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      Channels.newOutputStream(channel)
          .write(
              "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                  .formatted(path)
                  .getBytes(UTF_8));
      return new String(Channels.newInputStream(channel).readAllBytes(), UTF_8);
    }
  }

  @Test
  void unixSocket_isServedToItsOwnerOnly_inTheClear_andGoneAtTheEnd() throws Exception {
    certificate("own");
    Path socket = directory.resolve("hv.sock");
    try (RunningDaemon daemon =
        startEncrypted("own.crt", "own.key", "--unix-socket", socket.toString())) {
      assertThat(daemon.url()).startsWith("https://");
      assertThat(ask(socket, "/v1/domains/0"))
          .startsWith("HTTP/1.1 200 OK\r\n")
          .contains("\"name\":\"Domain-0\"");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
          .isEqualTo("rw-------");
      assertThat(command(Map.of("HV_URL", "unix://" + socket), "domain", "list", "-o", "name"))
          .isEqualTo("0\n");
    }
    assertThat(Files.exists(socket)).isFalse();
  }

  @Test
  void unixSocket_thatAKilledDaemonLeft_isTakenOver() throws Exception {
    Path socket = directory.resolve("hv.sock");
    ServerSocketChannel killed = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    killed.bind(UnixDomainSocketAddress.of(socket));
    killed.close();
    assertThat(Files.exists(socket)).isTrue();

    try (RunningDaemon daemon = start("--unix-socket", socket.toString())) {
      assertThat(ask(socket, "/health/ready")).startsWith("HTTP/1.1 200 OK\r\n");
      assertThatThrownBy(() -> start("--unix-socket", socket.toString()))
          .isInstanceOfSatisfying(
              CannotListen.class,
              wrong -> assertThat(wrong.line()).endsWith("somebody listens there"));
      assertThat(daemon.url()).startsWith("http://");
    }
  }

  @Test
  void unixSocket_whereThereIsAFile_isRefusedAndLeavesTheFile() throws Exception {
    Path file = Files.writeString(directory.resolve("notes"), "keep");

    assertThatThrownBy(() -> start("--unix-socket", file.toString()))
        .isInstanceOfSatisfying(
            CannotListen.class,
            wrong -> assertThat(wrong.line()).endsWith("there is a file that is no socket"));
    assertThat(Files.readString(file)).isEqualTo("keep");
  }
}
