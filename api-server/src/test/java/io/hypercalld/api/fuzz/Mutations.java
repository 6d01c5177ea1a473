package io.hypercalld.api.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Makes requests wrong, a little each time. Confined to one thread. */
final class Mutations {
  private static final List<String> METHODS =
      List.of("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW", "get");

  /** What people and programs get wrong in numbers, texts and structure. */
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "-1",
          "0",
          "1",
          "3.7",
          "1e400",
          "9007199254740993",
          "18446744073709551616",
          "-9223372036854775809",
          "\"\"",
          "\"0x\"",
          "\"0xffffffffffffffffff\"",
          "\"0xfffffffffffff000\"",
          "\"-1\"",
          "\"domain\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "[]",
          "{}",
          "[[[[]]]]",
          "[null]",
          "{\"a\":{\"a\":1}}",
          "32752",
          "65535",
          "65536",
          "\"0000:03:00.0\"",
          "\"ff:ff.7\"");

  private static final List<String> PATHS =
      List.of(
          "0",
          "1",
          "-1",
          "65536",
          "0x",
          "..",
          "%2e%2e",
          "%00",
          "%",
          "%ff",
          "a".repeat(300),
          "{d}",
          "default",
          "0000:03:00.0",
          "99999999999999999999",
          "");

  private static final List<String> QUERIES =
      List.of(
          "dryRun=true",
          "dryRun=maybe",
          "caller=1",
          "caller=-1",
          "envelope=always",
          "limit=0",
          "limit=99999999999",
          "cursor=x",
          "color=red",
          "&&&",
          "=",
          "maddr=0x0&length=16",
          "gpa=0x0&length=8",
          "a=%zz",
          "caller=1&caller=2",
          "length=0xffffffffffffffff");

  private static final List<String> HEADERS =
      List.of(
          "X-Request-Id: \u0001",
          "If-Match: *",
          "If-Match: \"x\"",
          "If-None-Match: *",
          "Idempotency-Key: a",
          "Prefer: wait=0",
          "Origin: http://evil",
          "Authorization: Bearer x",
          "Content-Type: text/html",
          "Accept: */*",
          "Accept: x",
          "Expect: 100-continue",
          "Upgrade: websocket",
          "Content-Encoding: gzip",
          "Host: \u00ff",
          "X-Y: " + "z".repeat(500));

  private static final List<String> LENGTHS =
      List.of("-1", "0x2", "1", "99999999999999999999", "8388609", "+2", "2,2", "");

  private static final List<String> VERSIONS =
      List.of("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/11", "http/1.1", "");

  private final RandomGenerator random;

  Mutations(RandomGenerator random) {
    this.random = random;
  }

  private <T> T any(List<T> of) {
    return of.get(random.nextInt(of.size()));
  }

  private boolean oneIn(int chances) {
    return random.nextInt(chances) == 0;
  }

  /** A request like this one, wrong in one place or a few. */
  Probe of(Seed seed) {
    if (!oneIn(100)) {
      return Probe.of(request(seed, oneIn(6) ? "?" + any(QUERIES) : ""));
    }
    // Whether its end is seen before its answer is made is chance, so it must not matter.
    return new Probe(misframed(request(seed, "?dryRun=true")), true);
  }

  /** With a body that is not as long as the header says, or with no end at all. */
  private String misframed(String request) {
    return switch (random.nextInt(8)) {
      case 0 -> request.replaceFirst("Content-Length: .*", "Content-Length: " + any(LENGTHS));
      case 1 -> request.replaceFirst("Content-Length: ", "Content-Length: 1");
      case 2 -> request.replaceFirst("Content-Length: .*", "Transfer-Encoding: chunked");
      case 3 ->
          request.replaceFirst("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n");
      case 4 -> request.replaceFirst("HTTP/1.1", any(VERSIONS));
      case 5 -> request.substring(0, random.nextInt(request.length()));
      case 6 -> request.replaceFirst("Host: ", "Content-Length: 3\r\nHost: ");
      default -> garbled(request);
    };
  }

  private String request(Seed seed, String query) {
    String method = oneIn(12) ? any(METHODS) : seed.method();
    String path = oneIn(4) ? mutatedPath(seed.path()) : seed.path();
    String body = mutatedBody(seed.body());
    StringBuilder request = new StringBuilder();
    request
        .append(method)
        .append(' ')
        .append(path)
        .append(query)
        .append(" HTTP/1.1\r\nHost: localhost\r\n");
    while (oneIn(6)) {
      request.append(any(HEADERS)).append("\r\n");
    }
    return request
        .append("Content-Length: ")
        .append(body.length())
        .append("\r\n\r\n")
        .append(body)
        .toString();
  }

  private String mutatedPath(String path) {
    List<String> parts = new ArrayList<>(List.of(path.substring(1).split("/")));
    int at = random.nextInt(parts.size());
    switch (random.nextInt(4)) {
      case 0 -> parts.remove(at);
      case 1 -> parts.add(at, any(PATHS));
      case 2 -> parts.set(at, any(PATHS));
      default -> parts.set(at, garbled(parts.get(at)));
    }
    return "/" + String.join("/", parts);
  }

  private String mutatedBody(String body) {
    String text = body;
    for (int i = random.nextInt(3); i > 0; i--) {
      text =
          switch (random.nextInt(5)) {
            case 0 -> garbled(text);
            case 1 ->
                text.replaceFirst(
                    ":[^,}\\]]+", ":" + java.util.regex.Matcher.quoteReplacement(any(VALUES)));
            case 2 -> replacedLast(text);
            case 3 -> any(VALUES);
            default ->
                text.replaceFirst(
                    "\\{",
                    "{\"member\":" + java.util.regex.Matcher.quoteReplacement(any(VALUES)) + ",");
          };
    }
    return text;
  }

  private String replacedLast(String text) {
    int at = text.lastIndexOf(':');
    return at < 0 ? text : text.substring(0, at + 1) + any(VALUES) + "}";
  }

  private String garbled(String text) {
    if (text.isEmpty()) {
      return "x";
    }
    int at = random.nextInt(text.length());
    char octet = (char) (0x21 + random.nextInt(0x5d));
    return switch (random.nextInt(3)) {
      case 0 -> text.substring(0, at) + text.substring(at + 1);
      case 1 -> text.substring(0, at) + octet + text.substring(at);
      default ->
          text.substring(0, at)
              + text.substring(at, at + 1).repeat(2 + random.nextInt(8))
              + text.substring(at);
    };
  }
}
