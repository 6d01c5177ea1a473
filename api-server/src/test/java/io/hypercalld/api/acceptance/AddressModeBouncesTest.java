package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AddressModeHost.DRIVER;
import static io.hypercalld.api.acceptance.AddressModeScenariosTest.CARD;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The scenarios of the document on address modes that a kernel's DMA API is enough for: what is
 * bounced, what becomes of it when there is no room, and what is contiguous.
 */
final class AddressModeBouncesTest implements XenBehaviours {
  @Override
  public void begin(XenHost host) {
    host.freshD();
    AddressModeScenariosTest.dom0Mode(host, "vp-iommu");
  }

  @Override
  public Stream<Row<XenHost>> rows() {
    return Stream.of(
        row("9 a buffer above 4 GiB is bounced", AddressModeBouncesTest::above),
        mode("9 a buffer below is not", AddressModeBouncesTest::below),
        mode("10 the pool is exhausted", AddressModeBouncesTest::exhausted),
        mode("11 contiguous pages of order 7", AddressModeBouncesTest::contiguous));
  }

  private static Row<XenHost> mode(String name, Consumer<AddressModeHost> check) {
    return row(name, xen -> check.accept(new AddressModeHost(xen)));
  }

  private static JsonNode api(XenHost xen, int domain, String call, String body) {
    return AddressModeScenariosTest.posted(
        xen, "/v1/domains/%d/dma-api/%s".formatted(domain, call), body);
  }

  private static String buffer(
      String device, String address, int length, String direction, int maskBits) {
    return "{'device':'%s','address':'%s','length':%d,'direction':'%s','maskBits':%d}"
        .formatted(device, address, length, direction, maskBits);
  }

  private static void above(XenHost xen) {
    AddressModeScenariosTest.dom0Mode(xen, "vp");
    long bounced = 0;
    for (String direction : List.of("to_device", "from_device", "bidirectional")) {
      JsonNode mapped = api(xen, 0, "map", buffer(CARD, "0x100000", 4096, direction, 32));
      assertThat(mapped.at("/addresses/0/place").asText()).isEqualTo("bounced");
      String bus = mapped.at("/addresses/0/bus").asText();
      assertThat(Long.decode(bus)).isLessThan(1L << 32);
      int in = direction.equals("from_device") ? 0 : 4096;
      assertThat(mapped.get("toDevice").asInt()).isEqualTo(in);
      assertThat(mapped.get("fromDevice").asInt()).isZero();
      JsonNode unmapped = api(xen, 0, "unmap", buffer(CARD, bus, 4096, direction, 32));
      int out = direction.equals("to_device") ? 0 : 4096;
      assertThat(unmapped.get("toDevice").asInt()).isZero();
      assertThat(unmapped.get("fromDevice").asInt()).isEqualTo(out);
      bounced += in + out;
    }
    JsonNode counters = xen.daemon().get("/v1/domains/0/counters").body();
    assertThat(counters.get("bytesBounced").asLong()).isEqualTo(bounced);
    assertThat(counters.get("bounces").asInt()).isEqualTo(3);
    assertThat(counters.get("bounceHighWater").asInt()).isEqualTo(2);
    assertThat(
            api(xen, 0, "map", buffer(CARD, "0x100000", 4096, "to_device", 64))
                .at("/addresses/0/place")
                .asText())
        .isEqualTo("direct");
  }

  private static void below(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    XenHost xen = host.xen();
    String device = AddressModeHost.DEVICE;
    long frame = Long.decode(host.phystomach(DRIVER, "0x100"));
    assertThat(frame).isLessThan(0x10_0000);

    JsonNode within = api(xen, DRIVER, "map", buffer(device, "0x100800", 2048, "to_device", 32));
    assertThat(within.at("/addresses/0/place").asText()).isEqualTo("direct");
    assertThat(Long.decode(within.at("/addresses/0/bus").asText()))
        .isEqualTo((frame << 12) + 0x800);
    JsonNode across = api(xen, DRIVER, "map", buffer(device, "0x100800", 2049, "to_device", 32));
    assertThat(across.at("/addresses/0/place").asText()).isEqualTo("bounced");
  }

  private static void exhausted(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    XenHost xen = host.xen();
    String device = AddressModeHost.DEVICE;
    assertThat(xen.daemon().put("/v1/domains/2/dma-api", "{\"slabs\":128}").status())
        .isEqualTo(200);
    api(xen, DRIVER, "map", buffer(device, "0x100800", 256 << 10, "from_device", 64));

    for (String address : List.of("0x200800", "0x300800")) {
      JsonNode mapped =
          api(xen, DRIVER, "map", buffer(device, address, 16 << 10, "from_device", 64));
      assertThat(mapped.at("/addresses/0/place").asText()).isEqualTo("overflow");
    }
    JsonNode kernel = xen.daemon().get("/v1/domains/2/dma-api").body();
    assertThat(kernel.at("/swiotlb/overflowUsers").asInt()).isEqualTo(2);
    assertThat(kernel.at("/swiotlb/highWater").asInt()).isEqualTo(128);
    assertThat(kernel.get("log").toString())
        .contains("Out of SW-IOMMU space for 16384 bytes at device " + device)
        .contains("2 buffers share the overflow buffer, their data is corrupt");

    JsonNode last =
        api(xen, DRIVER, "map", buffer(device, "0x400800", 64 << 10, "from_device", 64));
    assertThat(last.get("panic").asText()).isEqualTo("PCI-DMA: Memory would be corrupted");
    assertThat(last.get("addresses")).isEmpty();
    assertThat(xen.daemon().get("/v1/domains/2").at("/state")).isEqualTo("shutdown");
    assertThat(
            xen.daemon()
                .post(
                    "/v1/domains/2/dma-api/map",
                    buffer(device, "0x100000", 16, "to_device", 64).replace('\'', '"'))
                .at("/errno"))
        .isEqualTo("EINVAL");
  }

  private static void contiguous(AddressModeHost host) {
    host.driver("'dmaMode':'vp'");
    XenHost xen = host.xen();
    String whole = buffer(AddressModeHost.DEVICE, "0x400000", 512 << 10, "to_device", 64);
    assertThat(
            api(xen, DRIVER, "map", whole.replace("524288", "8192"))
                .at("/addresses/0/place")
                .asText())
        .isEqualTo("bounced");

    api(xen, DRIVER, "create-contiguous", "{'gfn':'0x400','order':7}");
    JsonNode mapped = api(xen, DRIVER, "map", whole);
    assertThat(mapped.at("/addresses/0/place").asText()).isEqualTo("direct");
    long first = Long.decode(host.phystomach(DRIVER, "0x400"));
    assertThat(Long.decode(host.phystomach(DRIVER, "0x47f"))).isEqualTo(first + 127);
    api(xen, DRIVER, "unmap", whole.replace("0x400000", mapped.at("/addresses/0/bus").asText()));

    Answer larger =
        xen.daemon()
            .post("/v1/domains/2/dma-api/create-contiguous", "{\"gfn\":\"0x400\",\"order\":8}");
    assertThat(larger.at("/errno")).isEqualTo("ENOMEM");
    api(xen, DRIVER, "destroy-contiguous", "{'gfn':'0x400','order':7}");
    assertThat(
            api(xen, DRIVER, "map", whole.replace("524288", "8192"))
                .at("/addresses/0/place")
                .asText())
        .isEqualTo("bounced");
  }
}
