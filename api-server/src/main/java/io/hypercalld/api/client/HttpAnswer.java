package io.hypercalld.api.client;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * An answer whose body may still be on its way.
 *
 * @param headers by names in lower case
 */
record HttpAnswer(int status, Map<String, String> headers, InputStream body) {
  private static final int LONGEST_LINE = 64 << 10;

  /**
   * Reads the head of an answer.
   *
   * @throws IOException where what comes is no HTTP, or ends too early
   */
  static HttpAnswer read(InputStream connection) throws IOException {
    InputStream in = new BufferedInputStream(connection);
    String[] first = line(in).split(" ", 3);
    if (first.length < 2 || !first[0].startsWith("HTTP/1.") || !first[1].matches("[1-5][0-9]{2}")) {
      throw new IOException("the answer is no HTTP");
    }
    Map<String, String> headers = new HashMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        headers.put(
            line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
      }
    }
    return new HttpAnswer(Integer.parseInt(first[1]), headers, content(in, headers));
  }

  private static InputStream content(InputStream in, Map<String, String> headers) {
    if (headers.getOrDefault("transfer-encoding", "").equalsIgnoreCase("chunked")) {
      return FramedBody.chunked(in);
    }
    String length = headers.get("content-length");
    return length == null ? in : FramedBody.measured(in, Long.parseLong(length));
  }

  /** All of the body, as text. */
  String text() throws IOException {
    return new String(body.readAllBytes(), UTF_8);
  }

  /** What the body is, without parameters. */
  String mediaType() {
    return headers.getOrDefault("content-type", "").split(";", 2)[0];
  }

  /** A line without its end. */
  static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int octet = in.read(); octet != '\n'; octet = in.read()) {
      if (octet < 0) {
        throw new EOFException("the answer ends too early");
      }
      if (line.size() == LONGEST_LINE) {
        throw new IOException("the answer is no HTTP");
      }
      line.write(octet);
    }
    return line.toString(ISO_8859_1).stripTrailing();
  }
}
