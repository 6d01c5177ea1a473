package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Event channels as Xen has them, over HTTP. */
final class EventChannelAcceptanceTest {
  private static final String CALL = "event_channel_op";
  private static final int UNBOUND = 1;
  private static final int INTERDOMAIN = 2;

  private static XenHost host;

  @BeforeAll
  static void start() {
    host = XenHost.start();
  }

  @AfterAll
  static void stop() {
    host.close();
  }

  @BeforeEach
  void fresh() {
    host.freshD();
  }

  @Test
  void allocUnbound_lowestFreePort_isGivenAndReused() {
    assertThat(allocate(D, 0)).isEqualTo(1);
    assertThat(allocate(D, 0)).isEqualTo(2);
    assertThat(close(D, 1)).isZero();
    assertThat(allocate(D, 0)).isEqualTo(1);
  }

  @Test
  void allocUnbound_wrongDomains_areRefusedInXensOrder() {
    assertThat(host.ret(CALL, "alloc_unbound", "{'dom':77,'remote_dom':0}")).isEqualTo(-3);
    assertThat(host.ret(CALL, "alloc_unbound", "{'dom':0,'remote_dom':0}", D)).isEqualTo(-1);
    assertThat(host.ret(CALL, "alloc_unbound", "{'dom':32752,'remote_dom':0}", D)).isZero();
  }

  @Test
  void allocUnbound_allPortsTaken_isEnospc() {
    host.create(2, 0x3, 0x3ff, 1);
    for (int port = 1; port <= 1023; port++) {
      assertThat(allocate(2, 0)).isEqualTo(port);
    }

    assertThat(host.ret(CALL, "alloc_unbound", "{'dom':2,'remote_dom':0}")).isEqualTo(-28);
    assertThat(host.ret(CALL, "alloc_unbound", "{'dom':2,'remote_dom':0}", D)).isEqualTo(-28);
  }

  @Test
  void bindInterdomain_waitingPort_connectsBothAndRaisesTheNewOne() {
    int theirs = allocate(D, 0);
    long before = pending(0);

    int ours = host.done(CALL, "bind_interdomain", bind(D, theirs)).get("local_port").asInt();

    assertThat(status(0, ours).get("status").asInt()).isEqualTo(INTERDOMAIN);
    assertThat(status(0, ours).at("/interdomain/dom").asInt()).isEqualTo(D);
    assertThat(status(0, ours).at("/interdomain/port").asInt()).isEqualTo(theirs);
    assertThat(status(D, theirs).at("/interdomain/port").asInt()).isEqualTo(ours);
    assertThat(pending(0) & ~before).isEqualTo(1L << ours);
    assertThat(close(0, ours)).isZero();
    assertThat(status(D, theirs).get("status").asInt()).isEqualTo(UNBOUND);
    assertThat(status(D, theirs).at("/unbound/dom").asInt()).isZero();
    assertThat(pending(0) & 1L << ours).isZero();
  }

  @Test
  void bindInterdomain_portOfSomebodyElse_isEinval() {
    int theirs = allocate(D, 5);

    assertThat(host.ret(CALL, "bind_interdomain", bind(D, theirs))).isEqualTo(-22);
    assertThat(host.ret(CALL, "bind_interdomain", bind(D, 63))).isEqualTo(-22);
    assertThat(host.ret(CALL, "bind_interdomain", bind(D, 640))).isEqualTo(-22);
    assertThat(host.ret(CALL, "bind_interdomain", bind(77, 1))).isEqualTo(-3);
  }

  @Test
  void send_connectedPort_setsTheBitTheSelectorAndTheUpcall() {
    int theirs = allocate(D, 0);
    int ours = host.done(CALL, "bind_interdomain", bind(D, theirs)).get("local_port").asInt();
    assertThat(pending(D)).isZero();

    assertThat(send(0, ours)).isZero();

    assertThat(pending(D)).isEqualTo(1L << theirs);
    assertThat(sharedWord(D, 8)).isEqualTo(1);
    assertThat(sharedWord(D, 0) & 0xff).isEqualTo(1);
  }

  @Test
  void send_nobodyAtTheOtherEnd_isLost() {
    int waiting = allocate(D, 0);

    assertThat(send(D, waiting)).isZero();
    assertThat(send(D, 40)).isEqualTo(-22);
    assertThat(send(D, 0)).isEqualTo(-22);
    assertThat(close(D, 40)).isEqualTo(-22);
  }

  @Test
  void status_portsInAndOutOfUse_areTold() {
    int waiting = allocate(D, 0);

    assertThat(status(D, waiting).get("status").asInt()).isEqualTo(UNBOUND);
    assertThat(status(D, 40).get("status").asInt()).isZero();
    assertThat(host.ret(CALL, "status", "{'dom':1,'port':64}")).isEqualTo(-22);
    assertThat(host.ret(CALL, "status", "{'dom':0,'port':1}", D)).isEqualTo(-1);
    assertThat(host.ret(CALL, "status", "{'dom':77,'port':1}")).isEqualTo(-3);
  }

  @Test
  void destroydomain_connectedPorts_waitAgain() {
    int other = allocate(0, D);
    assertThat(host.ret(CALL, "bind_interdomain", bind(0, other), D)).isZero();

    host.clear();

    assertThat(status(0, other).get("status").asInt()).isEqualTo(UNBOUND);
    assertThat(close(0, other)).isZero();
  }

  @Test
  void subscribe_domainThatSuspendsItself_raisesTheOtherEndOfItsPort() {
    int ours = subscribe();

    assertThat(host.ret("dm_op", "remote_shutdown", "{'domid':1,'reason':2}")).isZero();

    assertThat(pending(0)).isEqualTo(1L << ours);
  }

  @Test
  void subscribe_domainThatEndsOtherwise_raisesNothing() {
    subscribe();

    assertThat(host.ret("dm_op", "remote_shutdown", "{'domid':1,'reason':0}")).isZero();

    assertThat(pending(0)).isZero();
  }

  /** Dom0's port, on which D says that it is suspended; no event of dom0's is pending. */
  private static int subscribe() {
    int theirs = allocate(D, 0);
    int ours = host.done(CALL, "bind_interdomain", bind(D, theirs)).get("local_port").asInt();
    host.done("domctl", "subscribe", "{'domain':1,'port':%d}".formatted(theirs));
    pending(0);
    host.daemon()
        .put("/v1/domains/0/memory?gpa=0xfffff800", "{\"data\":\"" + "00".repeat(8) + "\"}");
    assertThat(pending(0)).isZero();
    return ours;
  }

  private static int allocate(int domain, int remote) {
    return host.done(CALL, "alloc_unbound", "{'dom':%d,'remote_dom':%d}".formatted(domain, remote))
        .get("port")
        .asInt();
  }

  private static String bind(int domain, int port) {
    return "{'remote_dom':%d,'remote_port':%d}".formatted(domain, port);
  }

  private static long send(int caller, int port) {
    return host.ret(CALL, "send", "{'port':%d}".formatted(port), caller);
  }

  private static long close(int caller, int port) {
    return host.ret(CALL, "close", "{'port':%d}".formatted(port), caller);
  }

  private static JsonNode status(int domain, int port) {
    return host.done(CALL, "status", "{'dom':%d,'port':%d}".formatted(domain, port));
  }

  private static long pending(int domain) {
    return sharedWord(domain, 0x800);
  }

  /** A 64-bit word of the page that a domain shares with the hypervisor. */
  private static long sharedWord(int domain, int offset) {
    host.done(
        "memory_op",
        "add_to_physmap",
        "{'domid':%d,'space':0,'idx':0,'gpfn':'0xfffff'}".formatted(domain));
    String hex =
        host.daemon()
            .get("/v1/domains/%d/memory?gpa=0x%x&length=8".formatted(domain, 0xfffff000L + offset))
            .at("/data");
    return Long.reverseBytes(Long.parseUnsignedLong(hex, 16));
  }
}
