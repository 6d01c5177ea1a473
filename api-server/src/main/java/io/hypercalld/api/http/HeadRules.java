package io.hypercalld.api.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;

/**
 * What a request's first line and headers must be, whatever it asks for. Never instantiated.
 *
 * @see "RFC 9112 §2.3, §3.2"
 */
final class HeadRules {
  static final int BAD_REQUEST = 400;

  private static final int VERSION_NOT_SUPPORTED = 505;
  private static final int HEX = 16;

  /** What a name, an address or a port may have besides letters and digits. */
  private static final String OTHERS_IN_HOST = "-._~%!$&'()*+,;=:[]";

  private HeadRules() {}

  /** With what status a request is refused; 0 where it is let through. */
  static int judge(HttpRequest request) {
    HttpVersion version = request.protocolVersion();
    if (version.majorVersion() != 1) {
      return VERSION_NOT_SUPPORTED;
    }
    boolean wellFormed =
        isDecodable(request.uri()) && namesHost(request, version.minorVersion() == 0);
    return wellFormed ? 0 : BAD_REQUEST;
  }

  /** Whether every escape is one: decoders further on throw where there is none. */
  private static boolean isDecodable(String uri) {
    for (int at = uri.indexOf('%'); at >= 0; at = uri.indexOf('%', at + 1)) {
      if (at + 2 >= uri.length()
          || Character.digit(uri.charAt(at + 1), HEX) < 0
          || Character.digit(uri.charAt(at + 2), HEX) < 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether it says once whom it is for, which was nobody's duty once. */
  private static boolean namesHost(HttpRequest request, boolean old) {
    List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
    return hosts.isEmpty() ? old : hosts.size() == 1 && isHost(hosts.getFirst());
  }

  private static boolean isHost(String host) {
    return host.chars()
        .allMatch(
            character ->
                (character < 0x80 && Character.isLetterOrDigit(character))
                    || OTHERS_IN_HOST.indexOf(character) >= 0);
  }
}
