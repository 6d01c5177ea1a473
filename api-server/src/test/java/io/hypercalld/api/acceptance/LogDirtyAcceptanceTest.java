package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.Stream;

/** Xen's behaviours 87, 88 and 90 to 92: which pages a guest writes. */
final class LogDirtyAcceptanceTest implements XenBehaviours {
  private static final int ENABLE = 32;
  private static final int OFF = 0;
  private static final int CLEAN = 11;
  private static final int PEEK = 12;
  private static final String DEVICE = "0000:03:10.0";

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row(
            "87 enabling is refused twice, with a device, and to oneself",
            h -> {
              assertThat(shadow(h, D, ENABLE)).isZero();
              guestWithDevice(h, 3);
              String before = h.digest();
              assertThat(shadow(h, D, ENABLE)).isEqualTo(-22);
              assertThat(shadow(h, 0, ENABLE)).isEqualTo(-22);
              assertThat(shadow(h, 3, ENABLE)).isEqualTo(-22);
              assertThat(h.digest()).isEqualTo(before);
              h.freshD();
              h.claimPage("0xa");
              before = h.digest();
              assertThat(shadow(h, D, ENABLE)).isEqualTo(-16);
              assertThat(h.digest()).isEqualTo(before);
            }),
        row(
            "88 all pages are watched at once, and each leaves when it is written",
            h -> {
              long before = entryWrites(h);
              JsonNode stored = h.lookup(D, "0x5").get("raw");
              assertThat(shadow(h, D, ENABLE)).isZero();
              assertThat(entryWrites(h) - before).isEqualTo(1);
              JsonNode watched = h.lookup(D, "0x5");
              assertThat(watched.get("type").asText()).isEqualTo("ram_logdirty");
              assertThat(watched.get("order").asInt()).isEqualTo(9);
              assertThat(watched.get("raw")).isEqualTo(stored);
              assertThat(watched.at("/walk/0/fields/recalc").asText()).isEqualTo("0x1");
              assertThat(watched.at("/walk/0/fields/emt").asText()).isEqualTo("0x7");
              assertThat(memType(h, "0x5")).isEqualTo(1);

              assertThat(access(h, "0x5008", "write", "0x2a")).isEqualTo("done");
              assertThat(h.type(D, "0x5")).isEqualTo("ram_rw");
              assertThat(h.lookup(D, "0x5").get("order").asInt()).isZero();
              assertThat(h.type(D, "0x4")).isEqualTo("ram_logdirty");
              assertThat(h.type(D, "0x6")).isEqualTo("ram_logdirty");

              JsonNode peeked = read(h, PEEK);
              assertThat(peeked.at("/dirty_bitmap/0").asInt()).isEqualTo(1 << 5);
              JsonNode cleaned = read(h, CLEAN);
              assertThat(cleaned.at("/dirty_bitmap/0").asInt()).isEqualTo(1 << 5);
              assertThat(cleaned.at("/stats/dirty_count").asInt()).isEqualTo(1);
              assertThat(cleaned.at("/pages").asInt()).isEqualTo(512);
              assertThat(h.type(D, "0x5")).isEqualTo("ram_logdirty");
              JsonNode again = read(h, CLEAN);
              assertThat(again.at("/dirty_bitmap/0").asInt()).isZero();
              assertThat(again.at("/stats/dirty_count").asInt()).isZero();

              assertThat(access(h, "0x5008", "read", "")).isEqualTo("done");
              assertThat(read(h, PEEK).at("/stats/dirty_count").asInt()).isZero();
              assertThat(shadow(h, D, OFF)).isZero();
              assertThat(h.type(D, "0x5")).isEqualTo("ram_rw");
              assertThat(h.ret("domctl", "shadow_op", "{'domain':1,'op':11,'mode':2}"))
                  .isEqualTo(-22);
            }),
        row(
            "90 what a device model says that it wrote is looked at while pages are watched",
            h -> {
              assertThat(modified(h, "{'nr':0,'pad':9,'first_pfn':'0xffffffffffffffff'}")).isZero();
              assertThat(shadow(h, D, ENABLE)).isZero();
              assertThat(modified(h, "{'nr':1,'first_pfn':'0x1ff'}")).isEqualTo(-22);
              assertThat(modified(h, "{'nr':1,'first_pfn':'0x1fe'}")).isZero();
              assertThat(modified(h, "{'nr':0,'first_pfn':'0x1fe'}")).isEqualTo(-22);
              assertThat(modified(h, "{'nr':1,'pad':1,'first_pfn':'0x1fe'}")).isEqualTo(-22);
              assertThat(
                      h.ret("dm_op", "modified_memory", "{'domid':1,'nr_extents':1,'nr_bufs':1}"))
                  .isEqualTo(-22);
              assertThat(read(h, CLEAN).at("/dirty_bitmap/63").asInt()).isEqualTo(1 << 6);
            }),
        row(
            "91 a display is asked for what was written since the last time",
            h -> {
              assertThat(vram(h, 8)).isEqualTo("[255]");
              assertThat(vram(h, 8)).isEqualTo("[0]");
              assertThat(access(h, "0x12000", "write", "0x1")).isEqualTo("done");
              assertThat(vram(h, 8)).isEqualTo("[4]");
              assertThat(vram(h, 8)).isEqualTo("[0]");
              assertThat(track(h, "'nr':262145,'first_pfn':'0x10'").ret()).isEqualTo(-22);
              assertThat(track(h, "'nr':9,'first_pfn':'0x10','bitmap_size':1").ret())
                  .isEqualTo(-22);
              assertThat(track(h, "'nr':8,'first_pfn':'0x10','nr_bufs':1").ret()).isEqualTo(-22);
              assertThat(track(h, "'nr':8,'pad':1,'first_pfn':'0x10'").ret()).isEqualTo(-22);
              assertThat(h.type(D, "0x13")).isEqualTo("ram_logdirty");
              assertThat(vram(h, 0)).isEqualTo("[]");
              assertThat(h.type(D, "0x13")).isEqualTo("ram_rw");
            }),
        row(
            "92 no device is given to a domain whose pages are watched",
            h -> {
              h.create(3, 0x23, 0x3ff, 1);
              h.limit(3, 1024);
              assertThat(h.populate(3, "0x0", 9)).isEqualTo(1);
              assertThat(shadow(h, 3, ENABLE)).isZero();
              String before = h.digest();
              assertThat(assign(h, 3)).isEqualTo(-18);
              assertThat(h.digest()).isEqualTo(before);
              assertThat(shadow(h, 3, OFF)).isZero();
              assertThat(assign(h, 3)).isZero();
            }));
  }

  private static long shadow(XenHost h, int domain, int op) {
    return h.ret("domctl", "shadow_op", "{'domain':%d,'op':%d,'mode':4}".formatted(domain, op));
  }

  private static JsonNode read(XenHost h, int op) {
    return h.done("domctl", "shadow_op", "{'domain':1,'op':%d,'pages':1024}".formatted(op));
  }

  private static void guestWithDevice(XenHost h, int id) {
    h.create(id, 0x23, 0x3ff, 1);
    assertThat(assign(h, id)).isZero();
  }

  private static long assign(XenHost h, int id) {
    return h.ret(
        "domctl", "assign_device", "{'domain':%d,'machine_sbdf':'%s'}".formatted(id, DEVICE));
  }

  private static long entryWrites(XenHost h) {
    return h.daemon().get("/v1/domains/1/counters").body().at("/p2m/entryWrites").asLong();
  }

  private static int memType(XenHost h, String gfn) {
    return h.done("hvm_op", "get_mem_type", "{'domid':1,'pfn':'%s'}".formatted(gfn))
        .get("mem_type")
        .asInt();
  }

  private static long modified(XenHost h, String extent) {
    return h.ret(
        "dm_op", "modified_memory", "{'domid':1,'nr_extents':1,'extents':[%s]}".formatted(extent));
  }

  private static XenHost.Result track(XenHost h, String members) {
    return h.call("dm_op", "track_dirty_vram", "{'domid':1,%s}".formatted(members));
  }

  private static String vram(XenHost h, int pages) {
    XenHost.Result result = track(h, "'nr':%d,'first_pfn':'0x10'".formatted(pages));
    assertThat(result.ret()).isZero();
    return result.out().get("dirty_bitmap").toString();
  }

  private static String access(XenHost h, String gpa, String op, String data) {
    String brings = data.isEmpty() ? "" : ",'data':'" + data + "'";
    Answer answer =
        h.daemon()
            .post(
                "/v1/domains/1/vcpus/0/access",
                "{'gpa':'%s','op':'%s','size':8%s}".formatted(gpa, op, brings).replace('\'', '"'));
    return answer.at("/outcome");
  }
}
