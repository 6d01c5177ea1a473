package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Xen's long operations, each stopped after every step: the parts come to what the whole does.
 *
 * <p>Between any two parts somebody else's call runs; each stop is counted, no step is longer than
 * it may be, and answer and state in the end are those of the call that was not stopped.
 */
final class PreemptionAcceptanceTest implements XenBehaviours {
  /** Another guest, or a PV domain. */
  private static final int E = 2;

  private static final int PAGES = 1200;
  private static final int LEAF_FRAMES = 32_768;

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(reservations(), places(), features(), logDirty()).flatMap(rows -> rows);
  }

  @Override
  public void begin(XenHost host) {
    host.freshD();
    host.limit(D, 1L << 20);
    host.hvm(SteppedCall.BYSTANDER, 1, 16);
  }

  @Override
  public void end(XenHost host) {
    SteppedCall.preempt(host, 0);
    host.assertConsistent();
    host.clear();
    host.assertConsistent();
  }

  private static Stream<Row<XenHost>> reservations() {
    return Stream.of(
        row(
            "2.1 populate_physmap counts all extents",
            h -> {
              assertThat(ret(h, "memory_op", "populate_physmap", extents(D))).isEqualTo(PAGES);
              assertThat(h.pages(D)).isEqualTo(512 + PAGES);
            }),
        row(
            "2.1 populate_physmap of large extents is a step each",
            h -> {
              String large =
                  "{'domid':1,'extent_start':['0x1000','0x1200','0x1400'],'extent_order':9}";
              assertThat(ret(h, "memory_op", "populate_physmap", large)).isEqualTo(3);
              assertThat(h.lookup(D, "0x15ff").get("order").asInt()).isEqualTo(9);
            }),
        row(
            "2.1 populate_physmap that runs out says how far it came",
            h -> {
              h.limit(D, 512 + 700);
              assertThat(ret(h, "memory_op", "populate_physmap", extents(D))).isEqualTo(700);
            }),
        row(
            "2.1 populate_physmap tells a PV domain all of its frames",
            h -> assertThat(paravirtualFrames(h)).hasSize(PAGES)),
        row(
            "2.1 increase_reservation and decrease_reservation count all extents",
            h -> {
              String more = "{'domid':1,'nr_extents':%d}".formatted(PAGES);
              assertThat(ret(h, "memory_op", "increase_reservation", more)).isEqualTo(PAGES);
              h.ret("memory_op", "populate_physmap", extents(D));
              assertThat(ret(h, "memory_op", "decrease_reservation", extents(D))).isEqualTo(PAGES);
            }),
        row(
            "2.2 exchange tells all of the frames that it got",
            h -> {
              JsonNode given = paravirtualFrames(h);
              String side = "{'domid':2,'extent_start':%s}";
              JsonNode out =
                  whole(
                      h,
                      "memory_op",
                      "exchange",
                      "{'in':%s,'out':%s}"
                          .formatted(
                              side.formatted(given),
                              side.formatted("{'first':'0x0','count':%d}".formatted(PAGES))));
              assertThat(out.get("nr_exchanged").asInt()).isEqualTo(PAGES);
              assertThat(out.at("/out/extent_start")).hasSize(PAGES).isNotEqualTo(given);
            }),
        row(
            "1.14 set_paging_mempool_size grows and shrinks the pool",
            h -> {
              for (int pages : new int[] {2000, 300}) {
                String size = "{'domain':1,'size':'0x%x'}".formatted((long) pages << 12);
                assertThat(ret(h, "domctl", "set_paging_mempool_size", size)).isZero();
                assertThat(
                        h.done("domctl", "get_paging_mempool_size", "{'domain':1}")
                            .get("size")
                            .asText())
                    .isEqualTo("0x" + Long.toHexString((long) pages << 12));
              }
            }),
        row(
            "3.6 destroydomain ends with nothing left",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              assertThat(ret(h, "domctl", "destroydomain", "{'domain':1}")).isZero();
              assertThat(h.ret("domctl", "getdomaininfo", "{'domain':1}")).isEqualTo(-3);
            }));
  }

  private static Stream<Row<XenHost>> places() {
    return Stream.of(
        row(
            "2.3 a range is moved as a whole",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              String range =
                  "{'domid':1,'space':3,'size':%d,'idx':'0x1000','gpfn':'0x8000'}".formatted(PAGES);
              assertThat(ret(h, "memory_op", "add_to_physmap", range)).isZero();
              assertThat(h.type(D, "0x8000")).isEqualTo("ram_rw");
              assertThat(h.type(D, "0x84af")).isEqualTo("ram_rw");
              assertThat(h.type(D, "0x1000")).isEqualTo("mmio_dm");
            }),
        row(
            "4.3 relocate_memory moves as a range does",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              String move =
                  "{'domid':1,'size':%d,'src_gfn':'0x1000','dst_gfn':'0x8000'}".formatted(PAGES);
              assertThat(ret(h, "dm_op", "relocate_memory", move)).isZero();
              assertThat(h.type(D, "0x84af")).isEqualTo("ram_rw");
              assertThat(h.type(D, "0x14af")).isEqualTo("mmio_dm");
            }),
        row(
            "2.3 a batch maps all of another domain's pages",
            h -> {
              h.hvm(E, 1, 64);
              h.done("domctl", "set_target", "{'domain':2,'target':1}");
              h.done("domctl", "set_paging_mempool_size", "{'domain':2,'size':'0x400000'}");
              h.ret("memory_op", "populate_physmap", extents(D));
              String all =
                  """
                  {'domid':2,'space':4,'foreign_domid':1,'idxs':{'first':'0x1000','count':1200},
                   'gpfns':{'first':'0x8000','count':1200}}\
                  """;
              assertThat(whole(h, "memory_op", "add_to_physmap_batch", all).get("errs"))
                  .hasSize(PAGES)
                  .allMatch(err -> err.asInt() == 0);
              assertThat(h.type(E, "0x84af")).isEqualTo("map_foreign");
            }),
        row(
            "2.3 a batch returns the errors of all elements",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              h.decrease(D, "0x1003");
              JsonNode errs =
                  whole(
                          h,
                          "memory_op",
                          "add_to_physmap_batch",
                          """
                          {'domid':1,'space':2,'idxs':{'first':'0x1000','count':1200},
                           'gpfns':{'first':'0x8000','count':1200}}\
                          """)
                      .get("errs");
              assertThat(errs).hasSize(PAGES);
              assertThat(IntStream.range(0, PAGES).filter(i -> errs.get(i).asInt() != 0))
                  .containsExactly(3);
              assertThat(errs.get(3).asInt()).isEqualTo(-13);
            }),
        row(
            "2.11 a PV caller gets all frames of a resource",
            h -> {
              String large =
                  XenHost.creation(3, 3, 0x3ff, 1)
                      .replace(
                          "'grant_opts':2",
                          "'grant_opts':1,'max_grant_frames':%d".formatted(PAGES));
              h.done("domctl", "createdomain", large);
              h.create(E, 0, 0, 1);
              h.done("domctl", "set_target", "{'domain':2,'target':3}");
              Answer answer =
                  SteppedCall.parts(
                      h,
                      "memory_op/acquire_resource?caller=2",
                      """
                      {'domid':3,'type':1,'id':0,'frame':0,'nr_frames':1200,
                       'frame_list':{'first':'0x0','count':1200}}\
                      """);
              assertThat(answer.body().at("/out/frame_list/extent_start")).hasSize(PAGES);
            }),
        row(
            "4.8 set_mem_type changes all pages",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              assertThat(
                      ret(
                          h,
                          "dm_op",
                          "set_mem_type",
                          "{'domid':1,'nr':%d,'mem_type':1,'first_pfn':'0x1000'}".formatted(PAGES)))
                  .isZero();
              assertThat(h.type(D, "0x14af")).isEqualTo("ram_ro");
            }));
  }

  private static Stream<Row<XenHost>> features() {
    return Stream.of(
        row(
            "2.6 set_pod_target reaches its target",
            h -> {
              h.hvm(E, 1, 1 << 14);
              h.ret(
                  "memory_op",
                  "populate_physmap",
                  "{'domid':2,'extent_start':['0x0','0x200','0x400','0x600'],'extent_order':9,"
                      + "'mem_flags':65536}");
              JsonNode out =
                  whole(h, "memory_op", "set_pod_target", "{'domid':2,'target_pages':2048}");
              assertThat(out.get("pod_cache_pages").asLong()).isEqualTo(2048);
              assertThat(h.pages(E)).isEqualTo(2048);
            }),
        row(
            "2.8 access_op restricts all pages",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              h.done("hvm_op", "set_param", "{'domid':1,'index':28,'value':'0x1ff'}");
              h.done("domctl", "vm_event_op", "{'domain':1,'op':0,'mode':2}");
              String all = "{'op':0,'domid':1,'pfn':'0x1000','nr':%d,'access':1}".formatted(PAGES);
              assertThat(ret(h, "memory_op", "access_op", all)).isZero();
              assertThat(h.lookup(D, "0x14af").get("access").asText()).isEqualTo("r");
            }),
        row(
            "2.8 access_op restricts all of a list's pages",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              h.done("hvm_op", "set_param", "{'domid':1,'index':28,'value':'0x1ff'}");
              h.done("domctl", "vm_event_op", "{'domain':1,'op':0,'mode':2}");
              String all =
                  "{'op':4,'domid':1,'nr':%d,'pfn_list':{'first':'0x1000','count':%d},"
                          .formatted(PAGES, PAGES)
                      + "'access_list':["
                      + "1,".repeat(PAGES - 1)
                      + "5]}";
              assertThat(ret(h, "memory_op", "access_op", all)).isZero();
              assertThat(h.lookup(D, "0x14ae").get("access").asText()).isEqualTo("r");
              assertThat(h.lookup(D, "0x14af").get("access").asText()).isEqualTo("rx");
            }),
        row(
            "2.9 range_share shares all pages",
            h -> {
              h.hvm(E, 1, 1 << 20);
              h.ret("memory_op", "populate_physmap", extents(D));
              h.ret("memory_op", "populate_physmap", extents(E));
              h.ret("memory_op", "sharing_op", "{'op':0,'domain':2,'gfn':'0x1000'}");
              String all =
                  "{'op':8,'domain':1,'client_domain':2,'first_gfn':'0x1000','last_gfn':'0x14af'}";
              assertThat(ret(h, "memory_op", "sharing_op", all)).isZero();
              assertThat(h.info(E).get("shr_pages").asInt()).isEqualTo(PAGES);
              assertThat(h.lookup(E, "0x14af").get("mfn"))
                  .isEqualTo(h.lookup(D, "0x14af").get("mfn"));
            }));
  }

  private static Stream<Row<XenHost>> logDirty() {
    return Stream.of(
        row("1.11 CLEAN tells all that was written, and the domain waits", h -> reading(h, 11)),
        row("1.11 PEEK tells all that was written, and the domain waits", h -> reading(h, 12)),
        row(
            "1.11 OFF gives the whole bitmap back",
            h -> {
              watchFarApart(h);
              assertThat(ret(h, "domctl", "shadow_op", "{'domain':1,'op':0}")).isZero();
              assertThat(h.lookup(D, "0x5").get("type").asText()).isEqualTo("ram_rw");
              assertThat(h.ret("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}")).isZero();
            }),
        row(
            "4.3 modified_memory marks all pages",
            h -> {
              h.ret("memory_op", "populate_physmap", extents(D));
              h.done("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}");
              String all = "{'domid':1,'extents':[{'nr':1100,'first_pfn':'0x1000'}]}";
              assertThat(ret(h, "dm_op", "modified_memory", all)).isZero();
              JsonNode out = h.done("domctl", "shadow_op", "{'domain':1,'op':12}");
              assertThat(out.at("/stats/dirty_count").asInt()).isEqualTo(1100);
            }));
  }

  /** Pages of three leaves of the bitmap are there, watched, and one of each is written. */
  private static void watchFarApart(XenHost h) {
    for (int leaf = 1; leaf < 3; leaf++) {
      assertThat(h.populate(D, "0x" + Integer.toHexString(leaf * LEAF_FRAMES), 0)).isEqualTo(1);
    }
    h.done("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}");
    for (int leaf = 0; leaf < 3; leaf++) {
      assertThat(write(h, (long) leaf * LEAF_FRAMES)).isEqualTo("done");
    }
  }

  private static void reading(XenHost h, int op) {
    watchFarApart(h);
    String arguments = "{'domain':1,'op':%d}".formatted(op);
    Answer stopped = SteppedCall.stop(h, "domctl/shadow_op", arguments);

    assertThat(write(h, 1)).isEqualTo("pending");
    String other = "{'domain':1,'op':%d}".formatted(23 - op);
    assertThat(h.ret("domctl", "shadow_op", other)).isEqualTo(-16);
    assertThat(h.ret("domctl", "shadow_op", "{'domain':1,'op':0}")).isEqualTo(-16);
    assertThat(h.ret("domctl", "shadow_op", "{'domain':1,'op':32,'mode':4}")).isEqualTo(-16);
    JsonNode out = SteppedCall.finish(h, stopped).body().get("out");
    assertThat(out.get("pages").asInt()).isEqualTo(2 * LEAF_FRAMES + 1);
    for (int leaf = 0; leaf < 3; leaf++) {
      assertThat(out.get("dirty_bitmap").get(leaf * LEAF_FRAMES / Byte.SIZE).asInt()).isEqualTo(1);
    }
    assertThat(write(h, 1)).isEqualTo("done");
    JsonNode later = h.done("domctl", "shadow_op", "{'domain':1,'op':12}");
    assertThat(later.at("/stats/dirty_count").asInt()).isEqualTo(op == 11 ? 1 : 4);
  }

  private static String write(XenHost h, long gfn) {
    return h.daemon()
        .post(
            "/v1/domains/1/vcpus/0/access",
            "{\"gpa\":\"0x%x\",\"op\":\"write\",\"size\":4,\"data\":\"0x2a\"}".formatted(gfn << 12))
        .at("/outcome");
  }

  private static String extents(int domain) {
    return "{'domid':%d,'extent_start':{'first':'0x1000','count':%d}}".formatted(domain, PAGES);
  }

  private static JsonNode paravirtualFrames(XenHost h) {
    h.create(E, 0, 0, 1);
    h.limit(E, 4L * PAGES);
    return whole(h, "memory_op", "populate_physmap", extents(E)).get("extent_start");
  }

  private static long ret(XenHost h, String call, String op, String arguments) {
    return SteppedCall.parts(h, call + "/" + op, arguments).body().get("ret").asLong();
  }

  private static JsonNode whole(XenHost h, String call, String op, String arguments) {
    return SteppedCall.parts(h, call + "/" + op, arguments).body().get("out");
  }
}
