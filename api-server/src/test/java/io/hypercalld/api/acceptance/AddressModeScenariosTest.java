package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AddressModeHost.DRIVER;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.api.acceptance.XenHost.D;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import io.hypercalld.core.dma.DmaMode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The scenarios of the document on address modes in which drivers take part: 1, 2, 4 to 7, 15 and
 * 16. A kernel's own are AddressModeBouncesTest's, and what the hypervisor answers by itself is
 * AddressModeCallsTest's.
 */
final class AddressModeScenariosTest implements XenBehaviours {
  static final String CARD = "0000:03:00.0";
  private static final String[] MODES = {"p2m", "identity", "vp", "vp-iommu"};

  @Override
  public void begin(XenHost host) {
    host.freshD();
    dom0Mode(host, "vp-iommu");
  }

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
            Stream.of("p2m 0 0", "vp 4 0", "vp-iommu 4 4")
                .map(mode -> host("1 dom0 reads a block: " + mode, xen -> dom0Reads(xen, mode))),
            Stream.of(
                host("1 dom0 reads a block: identity 0 0", xen -> identityReads()),
                mode("2 a bus address is the front end's", AddressModeScenariosTest::foreign),
                mode("4 IDE under VP hits a victim with a name", AddressModeScenariosTest::ide),
                mode("4 IDE behind a unit does not", AddressModeScenariosTest::checkedIde),
                host("5 the console vanishes, and comes back", AddressModeScenariosTest::console),
                mode("6 GART by raw addresses, and converted", AddressModeScenariosTest::gart),
                mode("7 a flip is refused by name under P==M", AddressModeScenariosTest::noFlip),
                mode("7 a flip works under P2M", AddressModeScenariosTest::flip)),
            Stream.of(MODES).map(mode -> host("7 copies work: " + mode, xen -> copies(xen, mode))),
            Stream.of(MODES).flatMap(AddressModeScenariosTest::meanwhile),
            Stream.of("vp wrong-frame", "p2m wrong-frame", "vp-iommu fault")
                .map(end -> host("15 a balloon under own I/O: " + end, xen -> balloon(xen, end))),
            Stream.of("p2m 0 0", "identity 0 0", "vp 4 0", "vp-iommu 4 4")
                .map(mode -> host("16 a driver domain reads: " + mode, xen -> reads(xen, mode))))
        .flatMap(rows -> rows);
  }

  private static Row<XenHost> host(String name, Check<XenHost> check) {
    return row(name, check);
  }

  private static Row<XenHost> mode(String name, Consumer<AddressModeHost> check) {
    return row(name, xen -> check.accept(new AddressModeHost(xen)));
  }

  static void dom0Mode(XenHost xen, String mode) {
    assertThat(xen.daemon().delete("/v1/domains/0/dma-api").status()).isEqualTo(204);
    Answer chosen =
        xen.daemon().patch("/v1/domains/0", "{\"policies\":{\"dmaMode\":\"%s\"}}".formatted(mode));
    assertThat(chosen.status()).as("%s", chosen.body()).isEqualTo(200);
  }

  private static JsonNode drive(XenHost xen, int domain, String driver, String work) {
    return posted(xen, "/v1/domains/%d/drivers/%s".formatted(domain, driver), work);
  }

  static JsonNode posted(XenHost xen, String path, String body) {
    Answer answer = xen.daemon().post(path, body.replace('\'', '"'));
    assertThat(answer.status()).as("%s %s", path, answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static void assertVerdict(JsonNode report, String verdict) {
    assertThat(report.get("verdict").asText()).as("%s", report).isEqualTo(verdict);
  }

  /** All bytes arrived where the domain's P2M has its buffer, for so many hypercalls. */
  private static void assertRead(JsonNode report, String map, String unmap) {
    assertVerdict(report, "right-frame");
    assertThat(report.at("/costs/accesses").asInt()).isEqualTo(4);
    assertThat(report.at("/costs/map").asText()).isEqualTo(map);
    assertThat(report.at("/costs/unmap").asText()).isEqualTo(unmap);
    assertThat(report.at("/costs/unmapped").asInt()).isZero();
    assertThat(report.get("victims")).isEmpty();
  }

  private static void dom0Reads(XenHost xen, String expected) {
    String[] words = expected.split(" ", -1);
    dom0Mode(xen, words[0]);

    assertRead(
        drive(xen, 0, "disk", "{'device':'%s','pages':4}".formatted(CARD)), words[1], words[2]);
  }

  private static void identityReads() {
    try (XenHost xen =
        XenHost.on(
            PlatformSource.named("two-socket").load().platform().withDom0Mode(DmaMode.IDENTITY))) {
      assertRead(drive(xen, 0, "disk", "{'device':'%s','pages':4}".formatted(CARD)), "0", "0");
    }
  }

  private static void reads(XenHost xen, String expected) {
    String[] words = expected.split(" ", -1);
    AddressModeHost host = new AddressModeHost(xen);
    host.driver("'dmaMode':'%s'".formatted(words[0]));
    String own = "{'device':'%s','pages':4}".formatted(AddressModeHost.DEVICE);
    String others = "{'device':'%s','pages':4,'frontend':1}".formatted(AddressModeHost.DEVICE);

    assertRead(drive(xen, DRIVER, "disk", own), words[1], words[2]);
    assertRead(drive(xen, DRIVER, "blkback", others), words[1], words[2]);
    assertVerdict(drive(xen, DRIVER, "nic", own), "right-frame");
    // It is another domain's device, and dom0's kernel has no business with it.
    assertThat(xen.daemon().post("/v1/domains/0/drivers/disk", own.replace('\'', '"')).status())
        .isEqualTo(404);
  }

  private static void foreign(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    XenHost xen = host.xen();
    JsonNode report =
        drive(
            xen,
            DRIVER,
            "blkback",
            "{'device':'%s','pages':2,'frontend':1}".formatted(AddressModeHost.DEVICE));

    assertVerdict(report, "right-frame");
    List<String> writes = new ArrayList<>();
    report
        .get("steps")
        .forEach(
            step -> {
              if (step.get("primitive").asText().equals("device write")) {
                writes.add(step.get("detail").asText());
              }
            });
    for (int page = 0; page < 2; page++) {
      String frame = host.phystomach(D, "0x1" + page);
      assertThat(writes.get(page))
          .isEqualTo("%s000 on the bus is frame %s".formatted(frame, frame));
    }

    assertThat(host.mapGrant(9, 8, 1, 2, "0x5000000")).isZero();
    JsonNode explained = xen.daemon().get("/v1/explain/bus?domid=2&gpa=0x5000123").body();
    String frame = host.phystomach(D, "0x8");
    assertThat(explained.get("bus").asText()).isEqualTo(frame + "123");
    assertThat(explained.at("/steps/0/table").asText()).isEqualTo("grant");
    assertThat(explained.at("/steps/0/fields/ref").asInt()).isEqualTo(9);
    assertThat(explained.at("/steps/1/table").asText()).isEqualTo("foreign");
    assertThat(explained.at("/steps/1/fields/gfn").asText()).isEqualTo("0x8");
    assertThat(explained.at("/steps/2/table").asText()).isEqualTo("phystomach");
    assertThat(explained.at("/steps/3/table").asText()).isEqualTo("frame");
    assertThat(explained.at("/steps/3/fields/mfn").asText()).isEqualTo(frame);
    assertThat(explained.at("/steps/3/fields/owner").asInt()).isEqualTo(D);
    assertThat(host.unmapGrant("0x5000000")).isZero();
  }

  /** A guest frame of the driver domain's that is the number of a frame of D's. */
  private static String unlucky(AddressModeHost host) {
    String frame = host.phystomach(D, "0x8");
    assertThat(Long.decode(frame)).isLessThan(0x4000);
    assertThat(host.xen().type(DRIVER, frame)).isEqualTo("ram_rw");
    return frame;
  }

  private static String raw(String page, boolean ported) {
    return "{'device':'%s','page':'%s','ported':%s}"
        .formatted(AddressModeHost.DEVICE, page, ported);
  }

  private static void ide(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    String victim = unlucky(host);

    JsonNode report = drive(host.xen(), DRIVER, "ide", raw(victim, true));

    assertVerdict(report, "wrong-frame");
    assertThat(report.at("/victims/0/mfn").asText()).isEqualTo(victim);
    assertThat(report.at("/victims/0/owner").asInt()).isEqualTo(D);
    assertThat(report.at("/victims/0/gfn").asText()).isEqualTo("0x8");
    assertThat(report.at("/costs/unmapped").asInt()).isEqualTo(1);
    assertThat(host.memory(victim)).isNotEqualTo("0000000000000000");
  }

  private static void checkedIde(AddressModeHost host) {
    host.driver("'dmaMode':'vp-iommu'");
    String victim = unlucky(host);
    String before = host.memory(victim);

    JsonNode inTheFirstContext = drive(host.xen(), DRIVER, "ide", raw(victim, true));
    assertVerdict(inTheFirstContext, "right-frame");
    drive(host.xen(), DRIVER, "disk", "{'device':'%s'}".formatted(AddressModeHost.DEVICE));
    JsonNode inTheKernels = drive(host.xen(), DRIVER, "ide", raw(victim, true));
    assertVerdict(inTheKernels, "fault");

    assertThat(inTheFirstContext.get("victims")).isEmpty();
    assertThat(inTheKernels.get("victims")).isEmpty();
    assertThat(host.memory(victim)).isEqualTo(before);
  }

  private static void console(XenHost xen) {
    JsonNode vanished = drive(xen, 0, "console", "{}");
    assertVerdict(vanished, "lost");
    assertThat(vanished.at("/steps/0/detail").asText())
        .contains("guest frame 0xb8 is ram_rw")
        .contains("the adapter is at frame 0xb8");
    assertVerdict(drive(xen, 0, "vga", "{}"), "lost");

    xen.done("dom0vp_op", "ioremap", "{'ioaddr':'0xa0000','size':'0x20000'}");

    assertVerdict(drive(xen, 0, "console", "{}"), "right-frame");
    assertVerdict(drive(xen, 0, "vga", "{}"), "right-frame");
  }

  private static void gart(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    String page = unlucky(host);

    JsonNode unconverted = drive(host.xen(), DRIVER, "gart", raw(page, false));

    assertVerdict(unconverted, "wrong-frame");
    assertVerdict(drive(host.xen(), DRIVER, "gart", raw(page, true)), "right-frame");
  }

  private static String received() {
    return "{'device':'%s','pages':3,'frontend':1}".formatted(AddressModeHost.DEVICE);
  }

  private static void noFlip(AddressModeHost host) {
    host.driver("'dmaMode':'identity'");

    JsonNode report = drive(host.xen(), DRIVER, "netback-flip", received());

    assertVerdict(report, "refused");
    assertThat(report.at("/failure/primitive").asText()).isEqualTo("gnttab_transfer");
    assertThat(report.at("/failure/detail").asText()).isEqualTo("GNTST_general_error");
  }

  private static void flip(AddressModeHost host) {
    host.driver("'dmaMode':'p2m'");
    String before = host.phystomach(D, "0x10");

    assertVerdict(drive(host.xen(), DRIVER, "netback-flip", received()), "right-frame");

    for (String gfn : List.of("0x10", "0x11", "0x12")) {
      assertThat(host.machtophys(host.phystomach(D, gfn))).isEqualTo(gfn);
    }
    assertThat(host.phystomach(D, "0x10")).isNotEqualTo(before);
    assertThat(host.xen().pages(DRIVER)).isEqualTo(16384);
    assertThat(host.xen().pages(D)).isEqualTo(512);
  }

  private static void copies(XenHost xen, String mode) {
    AddressModeHost host = new AddressModeHost(xen);
    host.driver("'dmaMode':'%s'".formatted(mode));
    String before = host.phystomach(D, "0x10");

    assertVerdict(drive(xen, DRIVER, "netback-copy", received()), "right-frame");

    assertThat(host.phystomach(D, "0x10")).isEqualTo(before);
  }

  private static Stream<Row<XenHost>> meanwhile(String mode) {
    return Stream.of("frontend-dies", "grant-revoked", "balloon")
        .map(event -> host("15 %s, %s".formatted(event, mode), xen -> underWay(xen, mode, event)));
  }

  private static void underWay(XenHost xen, String mode, String event) {
    AddressModeHost host = new AddressModeHost(xen);
    host.driver("'dmaMode':'%s'".formatted(mode));
    String frame = host.phystomach(D, "0x10");

    JsonNode report =
        drive(
            xen,
            DRIVER,
            "blkback",
            "{'device':'%s','frontend':1,'meanwhile':'%s'}"
                .formatted(AddressModeHost.DEVICE, event));

    assertVerdict(report, "right-frame");
    assertThat(report.get("steps").toString())
        .contains("held until unmapped: true; held afterwards: 0 pages");
    // From then on it may be anybody's but the one's who gave it away.
    assertThat(xen.daemon().get("/v1/machine/frames/" + frame).at("/owner"))
        .isNotEqualTo(Integer.toString(D));
  }

  private static void balloon(XenHost xen, String expected) {
    String[] words = expected.split(" ", -1);
    AddressModeHost host = new AddressModeHost(xen);
    host.driver("'dmaMode':'%s'".formatted(words[0]));

    JsonNode report =
        drive(
            xen,
            DRIVER,
            "disk",
            "{'device':'%s','meanwhile':'balloon'}".formatted(AddressModeHost.DEVICE));

    assertVerdict(report, words[1]);
  }
}
