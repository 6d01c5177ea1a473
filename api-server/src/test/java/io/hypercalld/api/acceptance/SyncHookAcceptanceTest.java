package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.PassthroughHost.NIC;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.core.p2m.SyncHook;
import java.util.EnumSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The first document's question 3: what a device still reaches where one synchronisation point is
 * missed. Each hook is taken away alone, and a change that only it would tell takes a page.
 */
final class SyncHookAcceptanceTest {
  private static final long PAGE = 5;
  private static final long OTHER = 6;
  private static final long SLOT = 0x9000;
  private static final long RING = 0x10;
  private static final long GRANTS = 0x3000;

  private static XenHost xen;
  private static PassthroughHost host;

  private int owner;
  private int guest;
  private long handle;

  @BeforeAll
  static void start() {
    xen = XenHost.start();
    host = new PassthroughHost(xen);
  }

  @AfterAll
  static void stop() {
    xen.close();
  }

  @BeforeEach
  void begin() {
    host.begin();
  }

  @ParameterizedTest
  @EnumSource(SyncHook.class)
  void changeWithoutItsHook_leavesTheDeviceTheOldFrame_andIsNamed(SyncHook off) {
    long frame = prepare(off);
    String old = reached(frame);
    host.follow(guest, listed(EnumSet.complementOf(EnumSet.of(off))));

    change(off, frame);

    assertThat(reached(frame)).isEqualTo(old);
    assertThat(host.violations().lines())
        .filteredOn(line -> line.contains("through guest frame 0x%x,".formatted(frame)))
        .singleElement()
        .asString()
        .startsWith("%s of d%d reach frame %s (".formatted(NIC, guest, mfn(old)))
        .endsWith("hook " + off + " is off");
  }

  @ParameterizedTest
  @EnumSource(SyncHook.class)
  void changeWithEveryHook_takesTheOldFrameFromTheDevice(SyncHook of) {
    long frame = prepare(of);
    String old = reached(frame);

    change(of, frame);

    assertThat(reached(frame)).isNotEqualTo(old);
    assertThat(host.violations()).isEmpty();
  }

  @Test
  void frameThatWasPagedOutUnseen_isReadWhenItIsAnothers() {
    long frame = prepare(SyncHook.PAGE_IN_OUT);
    host.follow(guest, listed(EnumSet.complementOf(EnumSet.of(SyncHook.PAGE_IN_OUT))));
    String old = reached(frame);
    change(SyncHook.PAGE_IN_OUT, frame);
    xen.limit(owner, 1 << 15);

    host.populate(owner, "{'first':'0x8000','count':2048}", 0);
    JsonNode now = xen.daemon().get("/v1/machine/frames/" + mfn(old)).body();
    String there = now.get("gfn").asText() + "000";
    String path = "/v1/domains/%d/memory?gpa=%s".formatted(owner, there);
    xen.daemon().put(path, "{\"data\":\"5e\"}");

    assertThat(now.get("owner").asInt()).isEqualTo(owner);
    assertThat(host.read(frame << 12).get("data").asText()).isEqualTo("5e");
    assertThat(host.violations())
        .contains("(d%d's)".formatted(owner))
        .contains("but it has nothing there: hook page-in-out is off");
  }

  @Test
  void pageThatIsBroughtBackUnseen_isTheProcessorsAlone() {
    long frame = prepare(SyncHook.PAGE_IN_OUT);
    change(SyncHook.PAGE_IN_OUT, frame);
    host.follow(guest, listed(EnumSet.complementOf(EnumSet.of(SyncHook.PAGE_IN_OUT))));

    bringBack(frame);

    assertThat(host.guestReads(guest, frame)).isTrue();
    assertThat(host.reaches(frame << 12)).isFalse();
    assertThat(host.violations())
        .contains(
            "%s of d%d cannot reach guest frame 0x%x, but it has frame"
                .formatted(NIC, guest, frame))
        .contains("hook page-in-out is off");
  }

  @Test
  void pageThatIsBroughtBack_isTheDevicesAgain() {
    long frame = prepare(SyncHook.PAGE_IN_OUT);
    change(SyncHook.PAGE_IN_OUT, frame);
    assertThat(host.reaches(frame << 12)).isFalse();

    bringBack(frame);

    assertThat(reached(frame)).isEqualTo(host.maddrOf(guest, frame));
    xen.assertConsistent();
  }

  @Test
  void pagerAndDevice_withoutThePolicy_excludeEachOther() {
    guest = host.separate("8MiB", "'4KiB'", "");
    nameRing();
    String before = xen.digest();

    assertThat(enablePager()).isEqualTo(-31);

    assertThat(xen.digest()).isEqualTo(before);
  }

  private void nameRing() {
    xen.done(
        "hvm_op", "set_param", "{'domid':%d,'index':27,'value':'0x%x'}".formatted(guest, RING));
  }

  private long enablePager() {
    return xen.ret("domctl", "vm_event_op", "{'domain':%d,'op':0,'mode':1}".formatted(guest));
  }

  /** Where the device arrives, or the word that the contract has for blocked. */
  private static String reached(long frame) {
    JsonNode read = host.read(frame << 12);
    return read.get("outcome").asText().equals("done")
        ? read.at("/segments/0/maddr").asText()
        : "blocked";
  }

  private static String mfn(String maddr) {
    return "0x" + Long.toHexString(Long.decode(maddr) >> 12);
  }

  private static String listed(Iterable<SyncHook> hooks) {
    StringBuilder list = new StringBuilder();
    hooks.forEach(hook -> list.append(list.isEmpty() ? "" : ",").append("'" + hook + "'"));
    return list.toString();
  }

  /** Makes a guest with the device, another domain, and answers the frame that will change. */
  private long prepare(SyncHook hook) {
    owner = host.domain("'memory':'64MiB'");
    if (hook == SyncHook.EXCHANGE) {
      guest = host.domain("'type':'pv','memory':'4MiB','pageTables':'separate'");
      host.assign(guest);
      xen.limit(guest, 2048);
      return Long.decode(
          host.populate(guest, "['0x1']", 0).findValue("extent_start").get(0).asText());
    }
    guest = host.separate("8MiB", "'4KiB'", ",'devicePaging':'allow'");
    host.assign(guest);
    return switch (hook) {
      case PHYSMAP_ADD, ZAP, BALLOON, PAGE_IN_OUT, EXCHANGE -> PAGE;
      case FOREIGN_MAP -> {
        host.mapForeign(guest, "0x9000", owner, "0x5");
        yield SLOT;
      }
      case GRANT_MAP -> {
        mapGrant();
        yield SLOT;
      }
    };
  }

  private void change(SyncHook hook, long frame) {
    String page = "'0x%x'".formatted(frame);
    switch (hook) {
      // Another page is put in the place of the one that is there.
      case PHYSMAP_ADD ->
          memory("add_to_physmap", "'space':2,'idx':'0x%x','gpfn':%s".formatted(OTHER, page));
      case ZAP, FOREIGN_MAP -> memory("remove_from_physmap", "'gpfn':" + page);
      case BALLOON -> host.decrease(guest, "0x" + Long.toHexString(frame), 0);
      case EXCHANGE -> host.exchange(guest, "0x" + Long.toHexString(frame));
      case GRANT_MAP -> unmapGrant();
      case PAGE_IN_OUT -> {
        nameRing();
        assertThat(enablePager()).isZero();
        page(0, frame, "");
        page(1, frame, "");
      }
    }
  }

  private void memory(String op, String arguments) {
    assertThat(xen.ret("memory_op", op, "{'domid':%d,%s}".formatted(guest, arguments))).isZero();
  }

  private void page(int op, long frame, String more) {
    String arguments = "{'op':%d,'domain':%d,'gfn':'0x%x'%s}".formatted(op, guest, frame, more);
    assertThat(xen.ret("memory_op", "paging_op", arguments)).isZero();
  }

  private void bringBack(long frame) {
    page(2, frame, ",'buffer':'" + "00".repeat(4096) + "'");
  }

  /** The guest maps a page of the owner's, who grants it by entry 9. */
  private void mapGrant() {
    xen.done(
        "memory_op",
        "add_to_physmap",
        "{'domid':%d,'space':1,'idx':'0x0','gpfn':'0x%x'}".formatted(owner, GRANTS));
    String entry = "{\"data\":\"0100%02x0005000000\"}".formatted(guest);
    xen.daemon().put("/v1/domains/%d/memory?gpa=0x3000048".formatted(owner), entry);
    String arguments = "{'host_addr':'0x9000000','flags':2,'ref':9,'dom':%d}".formatted(owner);
    JsonNode mapped = xen.call("grant_table_op", "map_grant_ref", arguments, guest).out();
    assertThat(mapped.get("status").asInt()).isZero();
    handle = mapped.get("handle").asLong();
  }

  private void unmapGrant() {
    String arguments =
        "{'host_addr':'0x9000000','dev_bus_addr':'0x0','handle':%d}".formatted(handle);
    JsonNode unmapped = xen.call("grant_table_op", "unmap_grant_ref", arguments, guest).out();
    assertThat(unmapped.get("status").asInt()).isZero();
  }
}
