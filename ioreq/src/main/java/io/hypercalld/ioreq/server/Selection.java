package io.hypercalld.ioreq.server;

import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which server a request goes to: of those that are enabled and have all of it within one range the
 * one with the highest id. Never instantiated.
 *
 * @see "xen/common/ioreq.c, ioreq_server_select; xen/arch/x86/hvm/ioreq.c,
 *     arch_ioreq_server_get_type_addr"
 */
public final class Selection {
  private static final int SBDF_SHIFT = 32;

  private Selection() {}

  /** Where a request goes, and what it is by then. */
  public record Target(IoServer server, IoRequest request) {}

  /** Why a request does not go to a server, or that it does. */
  public enum Verdict {
    SELECTED("all of it lies within one range"),
    DISABLED("the server is disabled"),
    PARTIAL("only some of it lies within a range"),
    ELSEWHERE("no range touches it"),
    OVERRULED("a server with a higher id has it");

    private final String note;

    Verdict(String note) {
      this.note = note;
    }

    /** The same in words. */
    public String note() {
      return note;
    }
  }

  /**
   * What came of asking one server.
   *
   * @param range the first of its ranges that touches the request
   */
  public record Asked(int server, Verdict verdict, Optional<NumberRange> range) {}

  /** What servers are asked for. */
  private record Key(RangeKind kind, NumberRange range, IoRequest request) {}

  /** The server of a request to a port or to memory; empty where nobody answers. */
  public static Optional<Target> of(IoServers servers, IoRequest request) {
    Key key = key(servers.portLatch(), request);
    return servers.answering(key.kind, key.range).map(server -> new Target(server, key.request));
  }

  /** The request as a server gets it: one for configuration space where 0xcf8 says so. */
  public static IoRequest decoded(IoServers servers, IoRequest request) {
    return key(servers.portLatch(), request).request;
  }

  /** What every server says to the request, in the order in which they are asked. */
  public static List<Asked> explain(IoServers servers, IoRequest request) {
    Key key = key(servers.portLatch(), request);
    List<Asked> asked = new ArrayList<>();
    boolean found = false;
    for (IoServer server : servers.byPrecedence()) {
      Verdict verdict = judge(server, key);
      boolean selected = verdict == Verdict.SELECTED;
      asked.add(
          new Asked(
              server.id(),
              selected && found ? Verdict.OVERRULED : verdict,
              server.ranges().ranges(key.kind).stream().filter(key.range::overlaps).findFirst()));
      found |= selected;
    }
    return asked;
  }

  private static Verdict judge(IoServer server, Key key) {
    if (!server.isEnabled()) {
      return Verdict.DISABLED;
    }
    if (server.ranges().contains(key.kind, key.range)) {
      return Verdict.SELECTED;
    }
    return server.ranges().overlaps(key.kind, key.range) ? Verdict.PARTIAL : Verdict.ELSEWHERE;
  }

  private static Key key(PortLatch latch, IoRequest request) {
    if (request.type() != RequestType.PIO) {
      return new Key(RangeKind.MEMORY, request.span(), request);
    }
    long port = request.address();
    if (latch.selects(port)) {
      long sbdf = latch.sbdf();
      long address = (sbdf << SBDF_SHIFT) | latch.register(port);
      return new Key(
          RangeKind.PCI, new NumberRange(sbdf, sbdf), request.at(RequestType.PCI_CONFIG, address));
    }
    return new Key(RangeKind.PORT, new NumberRange(port, port + request.size() - 1), request);
  }
}
