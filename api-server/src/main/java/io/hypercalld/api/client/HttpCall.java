package io.hypercalld.api.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A request. Immutable.
 *
 * @param target path and query, encoded
 * @param headers those that say something; {@code Host} and the like follow from the rest
 */
record HttpCall(String method, String target, Map<String, String> headers, Optional<Content> body) {
  private static final String TOKEN_HEADER = "Authorization";

  HttpCall with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new HttpCall(method, target, more, body);
  }

  /** The same of a path that begins with {@code base}. */
  HttpCall under(String base) {
    return new HttpCall(method, base + target, headers, body);
  }

  /** The same of the same path with another query parameter. */
  HttpCall asking(String parameter, String value) {
    String joint = target.contains("?") ? "&" : "?";
    return new HttpCall(method, target + joint + parameter + "=" + encode(value), headers, body);
  }

  /** Text as a path segment or a query value may carry it. */
  static String encode(String text) {
    StringBuilder encoded = new StringBuilder();
    for (byte octet : text.getBytes(UTF_8)) {
      char character = (char) (octet & 0xff);
      boolean plain =
          (character < 0x80 && Character.isLetterOrDigit(character))
              || "-._~:@!*,".indexOf(character) >= 0;
      encoded.append(plain ? Character.toString(character) : "%%%02X".formatted((int) character));
    }
    return encoded.toString();
  }

  /**
   * As it goes over a connection that it is alone on.
   *
   * @throws IOException where what it carries cannot be read
   */
  byte[] encoded(String host) throws IOException {
    StringBuilder head = new StringBuilder();
    head.append(method).append(' ').append(target).append(" HTTP/1.1\r\n");
    head.append("Host: ").append(host).append("\r\nConnection: close\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    byte[] content = body.isPresent() ? body.get().bytes() : new byte[0];
    body.ifPresent(sent -> head.append("Content-Type: ").append(sent.mediaType()).append("\r\n"));
    if (body.isPresent() || !method.equals("GET")) {
      head.append("Content-Length: ").append(content.length).append("\r\n");
    }
    head.append("\r\n");
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(head.toString().getBytes(UTF_8));
    all.writeBytes(content);
    return all.toByteArray();
  }

  /** The same as a command of a shell; a token stays the variable that it came from. */
  String curl(Endpoint endpoint) {
    StringBuilder line = new StringBuilder("curl -s");
    if (endpoint instanceof Endpoint.Unix(var socket)) {
      line.append(" --unix-socket ").append(quoted(socket.toString()));
    }
    if (endpoint instanceof Endpoint.Network network && network.authority().isPresent()) {
      line.append(" --cacert ").append(quoted(network.authority().get().toString()));
    }
    if (!method.equals(body.isPresent() ? "POST" : "GET")) {
      line.append(" -X ").append(method);
    }
    line.append(' ').append(quoted(endpoint.url() + target));
    headers.forEach(
        (name, value) ->
            line.append(" -H ")
                .append(
                    name.equals(TOKEN_HEADER)
                        ? "\"Authorization: Bearer $HV_TOKEN\""
                        : quoted(name + ": " + value)));
    body.ifPresent(sent -> line.append(' ').append(sent.curl()));
    return line.toString();
  }

  static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
