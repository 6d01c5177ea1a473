package io.hypercalld.api;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.http.Limits;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Connections that are slow, silent, too large or too many, byte by byte. */
@Timeout(60)
final class GuardedConnectionTest {
  private static final Duration SHORT = Duration.ofMillis(500);
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final int MANY = 4096;
  private static final String LIVE = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

  private final List<Socket> sockets = new ArrayList<>();
  private Optional<RunningDaemon> daemon = Optional.empty();

  @AfterEach
  void close() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    daemon.ifPresent(RunningDaemon::close);
  }

  private void serve(Limits limits) {
    daemon =
        Optional.of(
            RunningDaemon.start(
                StartOptions.parse(List.of("--port", "0"), Map.of()).settings(),
                PlatformSource.named("two-socket")::load,
                limits));
  }

  private static Limits patience(Duration opening, Duration body) {
    return new Limits(MANY, 32 << 20, 96 << 20, opening, body, LONG, LONG);
  }

  private Socket connect() throws IOException {
    URI url = URI.create(daemon.orElseThrow().url());
    Socket socket = new Socket(url.getHost(), url.getPort());
    sockets.add(socket);
    socket.setSoTimeout((int) LONG.toMillis());
    return socket;
  }

  private Socket say(String text) throws IOException {
    Socket socket = connect();
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    return socket;
  }

  /** Everything until the other side closes. */
  private static String hear(Socket socket) throws IOException {
    StringBuilder heard = new StringBuilder();
    InputStream in = socket.getInputStream();
    try {
      for (int octet = in.read(); octet >= 0; octet = in.read()) {
        heard.append((char) octet);
      }
    } catch (SocketException e) {
      // Closed while there was more to send: what was said before counts.
      heard.append("<reset>");
    }
    return heard.toString();
  }

  private boolean answers() throws IOException {
    Socket socket = say(LIVE.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    return hear(socket).startsWith("HTTP/1.1 200");
  }

  private static void assertLives(Socket socket) throws IOException {
    assertThat(socket.getInputStream().readNBytes(15))
        .isEqualTo("HTTP/1.1 200 OK".getBytes(ISO_8859_1));
  }

  private static String post(int length) {
    return "POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n";
  }

  @Test
  void headers_thatNeverEnd_are408() throws IOException {
    serve(patience(SHORT, LONG));

    String heard = hear(say("GET /v1 HTTP/1.1\r\nHost: localhost\r\nX-Slow: "));

    assertThat(heard).startsWith("HTTP/1.1 408").contains("/problems/request-timeout");
  }

  @Test
  void silence_isEnded() throws IOException {
    serve(patience(SHORT, LONG));

    assertThat(hear(connect())).startsWith("HTTP/1.1 408");
  }

  @Test
  void body_thatNeverEnds_is408() throws IOException {
    serve(patience(LONG, SHORT));

    assertThat(hear(say(post(100) + "{\"na"))).startsWith("HTTP/1.1 408");
  }

  @Test
  void body_declaredTooLarge_is413BeforeItIsSent() throws IOException {
    serve(patience(LONG, LONG));

    assertThat(hear(say(post(Limits.BODY_BYTES + 1))))
        .startsWith("HTTP/1.1 413")
        .contains("/problems/body-too-large");
  }

  @Test
  void headers_tooLarge_are431() throws IOException {
    serve(patience(LONG, LONG));

    assertThat(hear(say("GET /v1 HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(9000) + "\r\n\r\n")))
        .startsWith("HTTP/1.1 431")
        .contains("/problems/headers-too-large");
  }

  @Test
  void line_tooLong_is414() throws IOException {
    serve(patience(LONG, LONG));

    assertThat(hear(say("GET /" + "x".repeat(5000) + " HTTP/1.1\r\n\r\n")))
        .startsWith("HTTP/1.1 414");
  }

  @Test
  void escape_thatIsNone_is400() throws IOException {
    serve(patience(LONG, LONG));

    assertThat(hear(say("GET /v1/% HTTP/1.1\r\nHost: x\r\n\r\n")))
        .startsWith("HTTP/1.1 400")
        .contains("/problems/malformed-request");
  }

  @Test
  void host_absentTwiceOrNone_is400_andWasNobodysDutyOnce() throws IOException {
    serve(patience(LONG, LONG));

    for (String hosts : List.of("", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a/b\r\n")) {
      assertThat(hear(say("GET /v1 HTTP/1.1\r\n" + hosts + "\r\n")))
          .as(hosts)
          .startsWith("HTTP/1.1 400")
          .contains("/problems/malformed-request");
    }
    assertThat(hear(say("GET /health/live HTTP/1.0\r\n\r\n"))).startsWith("HTTP/1.0 200");
    assertThat(hear(closing("GET /health/live", ""))).startsWith("HTTP/1.1 200");
  }

  @Test
  void version_thatIsAnother_is505() throws IOException {
    serve(patience(LONG, LONG));

    for (String version : List.of("HTTP/2.0", "HTTP/0.9", "HTTP/3.1")) {
      assertThat(hear(say(LIVE.replace("HTTP/1.1", version))))
          .as(version)
          .startsWith("HTTP/1.1 505")
          .contains("/problems/version-not-supported");
    }
  }

  @Test
  void head_tellsTheLength_andTheConnectionGoesOn() throws IOException {
    serve(patience(LONG, LONG));
    String got = hear(closing("GET /v1", ""));
    int length = got.length() - got.indexOf("\r\n\r\n") - 4;

    for (String path : List.of("/v1", "/nowhere")) {
      String head = "HEAD " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
      String[] answers =
          hear(say(head + LIVE.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")))
              .split("HTTP/1.1 ", -1);

      assertThat(answers).as(path).hasSize(3);
      assertThat(answers[1]).endsWith("\r\n\r\n").containsIgnoringCase("content-length: ");
      assertThat(answers[2]).startsWith("200").contains("UP");
      if (path.equals("/v1")) {
        assertThat(answers[1]).containsIgnoringCase("content-length: " + length + "\r\n");
      }
    }
  }

  @Test
  void noHttp_is400WithAProblem() throws IOException {
    serve(patience(LONG, LONG));

    assertThat(hear(say("\u0016\u0003\u0001 what\r\n\r\n")))
        .startsWith("HTTP/1.1 400")
        .contains("application/problem+json", "/problems/malformed-request", "requestId");
  }

  @Test
  void noHttp_behindRequests_isRefusedAfterTheirAnswers() throws IOException {
    serve(patience(LONG, LONG));

    String[] answers =
        hear(say("GET /v1/machine HTTP/1.1\r\nHost: x\r\n\r\n" + LIVE + "what\r\n\r\n"))
            .split("HTTP/1.1 ", -1);

    assertThat(answers).hasSize(4);
    assertThat(answers[1]).startsWith("200").contains("memory");
    assertThat(answers[2]).startsWith("200").contains("UP");
    assertThat(answers[3]).startsWith("400").contains("/problems/malformed-request");
  }

  @Test
  void connections_tooMany_whileAllAreServed_are503AndOthersGoOn() throws IOException {
    serve(new Limits(8, 32 << 20, 96 << 20, LONG, LONG, LONG, LONG));
    CountDownLatch gate = new CountDownLatch(1);
    var unused = daemon.orElseThrow().thread().submit(_ -> waitFor(gate));
    for (int i = 0; i < 8; i++) {
      say("GET /v1/machine HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .untilAsserted(
            () ->
                assertThat(hear(connect()))
                    .startsWith("HTTP/1.1 503")
                    .contains("/problems/saturated", "Retry-After: 1"));
    gate.countDown();
    for (Socket socket : sockets.subList(0, 8)) {
      assertLives(socket);
    }
    assertThat(unused.join()).isTrue();
  }

  @Test
  void stream_behindRequests_beginsAfterTheirAnswers() throws IOException {
    serve(patience(LONG, LONG));
    CountDownLatch gate = new CountDownLatch(1);
    var unused = daemon.orElseThrow().thread().submit(_ -> waitFor(gate));
    Socket socket =
        say(
            "POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
                + "GET /_sim/export HTTP/1.1\r\nHost: x\r\n\r\n");

    gate.countDown();

    String[] answers = hear(socket).split("HTTP/1.1 ", -1);
    assertThat(answers).hasSize(3);
    assertThat(answers[1]).startsWith("201").contains("\"domid\":1");
    assertThat(answers[2]).startsWith("200");
    assertThat(unused.join()).isTrue();
  }

  private static boolean waitFor(CountDownLatch gate) {
    try {
      return gate.await(50, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void connections_tooMany_takeThePlacesOfThoseThatWait() throws IOException {
    serve(new Limits(8, 32 << 20, 96 << 20, LONG, LONG, LONG, LONG));
    for (int i = 0; i < 4; i++) {
      assertLives(say(LIVE));
      say("GET /v1 HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    }

    Awaitility.await().atMost(20, TimeUnit.SECONDS).until(this::answers);
    assertThat(hear(sockets.get(1))).startsWith("HTTP/1.1 503");
  }

  @Test
  void bodies_tooMuchTogether_are503WhereTheyAreLarge() throws IOException {
    serve(new Limits(MANY, 1000, 96 << 20, LONG, LONG, LONG, LONG));
    Socket holder = say(post(2000) + "x".repeat(990));

    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .untilAsserted(
            () ->
                assertThat(hear(closing("POST /v1/domains", " ".repeat(9000))))
                    .startsWith("HTTP/1.1 503")
                    .contains("/problems/saturated"));
    assertThat(hear(closing("POST /v1/domains", "{}" + " ".repeat(300)))).contains("HTTP/1.1 201");
    holder.close();
    assertThat(hear(closing("POST /v1/domains", "{}" + " ".repeat(990)))).contains("HTTP/1.1 201");
  }

  private Socket closing(String start, String body) throws IOException {
    return say(
        "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(start, body.length(), body));
  }

  @Test
  void answer_thatTakesLong_isWaitedFor() throws Exception {
    serve(patience(SHORT, SHORT));
    var unused =
        daemon
            .orElseThrow()
            .thread()
            .submit(
                _ -> {
                  long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
                  while (System.nanoTime() < end) {
                    Thread.onSpinWait();
                  }
                  return true;
                });

    assertThat(hear(closing("GET /v1/machine", ""))).startsWith("HTTP/1.1 200");
    assertThat(unused).isCompleted();
  }

  @Test
  void webSocket_maySayNothingForLong() throws IOException {
    serve(new Limits(MANY, 32 << 20, 96 << 20, SHORT, SHORT, SHORT, SHORT));
    hear(closing("POST /v1/domains", "{\"name\":\"a\",\"type\":\"hvm\",\"memory\":\"16MiB\"}"));
    hear(
        closing(
            "POST /v1/hypercalls/dm_op/create_ioreq_server",
            "{\"domid\":1,\"handle_bufioreq\":0}"));
    Socket stream =
        say(
            """
            GET /v1/domains/1/ioreq-servers/0/stream HTTP/1.1
            Host: x
            Upgrade: websocket
            Connection: Upgrade
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

            """
                .replace("\n", "\r\n"));
    assertThat(stream.getInputStream().readNBytes(12))
        .isEqualTo("HTTP/1.1 101".getBytes(ISO_8859_1));

    stream.setSoTimeout(4000);

    assertThatThrownBy(() -> hear(stream)).isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void answers_thatNobodyTakes_holdUpNobodyElse() throws IOException {
    serve(new Limits(MANY, 32 << 20, 200_000, LONG, LONG, LONG, SHORT));
    Socket greedy = connect();
    greedy
        .getOutputStream()
        .write("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50).getBytes(ISO_8859_1));

    // Too much is owed until the one who takes nothing has been cut.
    Awaitility.await().atMost(20, TimeUnit.SECONDS).until(this::answers);
    assertThat(hear(greedy).split("HTTP/1.1 200", -1)).hasSizeLessThan(50);
  }
}
