package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.scenario.DaemonUnderTest.Answer;

/** The words of the scenarios on pages that device models claim. Never instantiated. */
final class PageClaimWords {
  static final int RAM_RW = 0;
  static final int RAM_RO = 1;
  static final int IOREQ_SERVER = 4;

  /** One full page table of a graphics processor. */
  static final int TABLE_PAGES = 2048 + 4;

  static final long MINUTE = 60_000_000_000L;

  private PageClaimWords() {}

  /** A server with its page, enabled, that has the type. */
  static int server(ModelHost m) {
    int server = serving(m);
    assertThat(m.claim(server, 2)).isZero();
    return server;
  }

  /** Makes a page one that others may share; its handle. */
  static long nominate(ModelHost m, int gfn) {
    return m.xen()
        .done("memory_op", "sharing_op", "{'op':0,'domain':1,'gfn':%d}".formatted(gfn))
        .get("handle")
        .asLong();
  }

  static int serving(ModelHost m) {
    int server = m.create(0);
    m.acquire(server, 1);
    assertThat(m.enable(server, true)).isZero();
    return server;
  }

  static long claim(ModelHost m, int server, int type) {
    return m.op(
        "map_mem_type_to_ioreq_server", "'id':%d,'type':%d,'flags':2".formatted(server, type));
  }

  static int memType(ModelHost m, long gfn) {
    return m.xen()
        .done("hvm_op", "get_mem_type", "{'domid':1,'pfn':'0x%x'}".formatted(gfn))
        .get("mem_type")
        .asInt();
  }

  /** Gives D room for a page table, from guest frame 0 on. */
  static void large(ModelHost m) {
    m.xen().limit(D, 4096);
    for (int leaf = 1; leaf < 5; leaf++) {
      assertThat(m.xen().populate(D, "0x%x".formatted(leaf << 9), 9)).isEqualTo(1);
    }
  }

  static void policies(ModelHost m, String members) {
    Answer answer =
        m.xen()
            .daemon()
            .patch("/v1/domains/1", "{'policies':{%s}}".formatted(members).replace('\'', '"'));
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
  }

  /** Has the hypervisor write a byte to the page; the errno, if there is one. */
  static String copy(ModelHost m) {
    return m.xen()
        .daemon()
        .put("/v1/domains/1/memory?gpa=0x5000", "{\"data\":\"01\"}")
        .body()
        .path("errno")
        .asText("");
  }

  static void timeout(ModelHost m, String action) {
    Answer answer =
        m.xen()
            .daemon()
            .put(
                "/v1/domains/1/ioreq-timeout",
                "{\"afterNanos\":%d,\"action\":\"%s\"}".formatted(MINUTE, action));
    assertThat(answer.status()).isEqualTo(200);
  }

  static long logDirty(ModelHost m) {
    return m.xen().ret("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}");
  }

  static long counter(ModelHost m, String pointer) {
    return m.xen().daemon().get("/v1/domains/1/counters").body().at(pointer).asLong();
  }
}
