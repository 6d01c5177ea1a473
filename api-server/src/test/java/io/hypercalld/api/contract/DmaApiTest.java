package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.net.http.HttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code /v1/domains/{d}/dma-api} and {@code drivers}: what is refused, tried, kept and told. */
class DmaApiTest {
  private static final String KERNEL = "/v1/domains/driver/dma-api";
  private static final String BUFFER =
      "{'device':'03:10.0','address':'0x100800','length':4096,'direction':'to_device'}";

  private final HttpClient client = HttpClient.newHttpClient();
  private final ServedMachine machine = new ServedMachine();

  @BeforeEach
  void driverDomain() {
    post("/v1/domains", "{'name':'driver','memory':'64MiB','policies':{'dmaMode':'vp'}}");
    machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1}");
  }

  @AfterEach
  void stop() {
    client.close();
    machine.close();
  }

  private Answer post(String path, String body) {
    return machine.post(path, body.replace('\'', '"'));
  }

  private JsonNode done(String path, String body) {
    Answer answer = post(path, body);
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return answer.json();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          map    | {'device':'03:10.0','address':'0x0','length':0,'direction':'to_device'}        | 400 | /length
          map    | {'device':'03:10.0','address':'0x0','length':1,'direction':'sideways'}         | 400 | /direction
          map    | {'device':'03:10.0','address':'0x0','length':1,'direction':'to_device','x':1}  | 400 | /x
          map    | {'device':'03:10.0','length':1,'direction':'to_device'}                        | 400 | /address
          map    | {'device':'03:10.0','address':'0x0','length':1,'direction':'to_device','maskBits':65} | 400 | /maskBits
          map-sg | {'device':'03:10.0','buffers':[],'direction':'to_device'}                      | 400 | /buffers
          """)
  void body_thatIsNotWellFormed_isRefusedByItsMember(
      String call, String body, int status, String pointer) {
    Answer answer = post(KERNEL + "/" + call, body);

    assertThat(answer.status()).as(answer.text()).isEqualTo(status);
    assertThat(answer.at("/pointer")).isEqualTo(pointer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          /v1/domains/77/dma-api/map       | {'device':'03:10.0','address':'0x0','length':1,'direction':'to_device'}         | ESRCH
          /v1/domains/1/dma-api/map        | {'device':'03:10.1','address':'0x0','length':1,'direction':'to_device'}         | ENODEV
          /v1/domains/1/dma-api/map        | {'device':'03:10.0','address':'0x40000000','length':1,'direction':'to_device'}  | EFAULT
          /v1/domains/1/dma-api/map        | {'device':'03:10.0','address':'0x800','length':8192,'direction':'to_device','maskBits':24} | EIO
          /v1/domains/1/dma-api/unmap      | {'device':'03:10.0','address':'0x0','length':1,'direction':'to_device'}         | EINVAL
          /v1/domains/1/dma-api/map-sg     | {'device':'03:10.0','buffers':[{'address':'0x800','length':262144},{'address':'0x800','length':262145}],'direction':'to_device'} | ENOMEM
          /v1/domains/1/dma-api/free-coherent     | {'address':'0x1000'}                 | EINVAL
          /v1/domains/1/dma-api/alloc-coherent    | {'device':'03:10.0','length':524289} | ENOMEM
          /v1/domains/1/dma-api/create-contiguous | {'gfn':'0x400','order':8}            | ENOMEM
          /v1/domains/1/drivers/disk       | {}                                          | ENODEV
          /v1/domains/1/drivers/disk       | {'device':'03:10.1'}                        | ENODEV
          /v1/domains/1/drivers/blkback    | {'device':'03:10.0','frontend':77}          | ESRCH
          /v1/domains/1/drivers/floppy     | {'device':'03:10.0'}                        | ENOENT
          """)
  void call_thatTheKernelRefuses_changesNothing(String path, String body, String errno) {
    done(KERNEL + "/map", BUFFER);
    String before = machine.digest();

    Answer answer = post(path, body);

    assertThat(answer.at("/errno")).as(answer.text()).isEqualTo(errno);
    assertThat(machine.digest()).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          /v1/domains/1/dma-api/map          | {'device':'03:10.0','address':'0x800','length':8192,'direction':'to_device'}
          /v1/domains/1/dma-api/alloc-coherent | {'device':'03:10.0','length':8192}
          /v1/domains/1/drivers/disk         | {'device':'03:10.0'}
          """)
  void call_thatIsOnlyTried_changesNothing(String path, String body) {
    String before = machine.digest();

    Answer tried = post(path + "?dryRun=true", body);

    assertThat(tried.json().get("dryRun").asBoolean()).as(tried.text()).isTrue();
    assertThat(machine.digest()).isEqualTo(before);
  }

  @Test
  void sync_showsTheKernelWhatTheDeviceWrote_beforeItIsUnmapped() {
    String bus =
        done(KERNEL + "/map", BUFFER.replace("to_device", "from_device").replace("4096", "8192"))
            .at("/addresses/0/bus")
            .asText();
    post("/v1/devices/03:10.0/dma", "{'op':'write','address':'%s','data':'cafe'}".formatted(bus));
    assertThat(memory()).isEqualTo("0000");

    JsonNode synced =
        done(
            KERNEL + "/sync",
            "{'address':'%s','length':2,'direction':'from_device'}".formatted(bus));

    assertThat(synced.get("fromDevice").asInt()).isEqualTo(2);
    assertThat(memory()).isEqualTo("cafe");
  }

  private String memory() {
    return machine.get("/v1/domains/1/memory?gpa=0x100800&length=2").at("/data");
  }

  @Test
  void coherentMemory_isContiguousAndShared_untilItIsFreed() {
    String empty = machine.get(KERNEL).at("/pages/used");
    JsonNode made = done(KERNEL + "/alloc-coherent", "{'device':'03:10.0','length':8193}");

    assertThat(made.at("/addresses/0/length").asInt()).isEqualTo(16384);
    assertThat(made.at("/addresses/0/place").asText()).isEqualTo("direct");
    assertThat(machine.get(KERNEL).at("/coherent/0/order")).isEqualTo("2");
    done(KERNEL + "/free-coherent", "{'address':'%s'}".formatted(made.get("memory").asText()));
    assertThat(machine.get(KERNEL).json().get("coherent")).isEmpty();
    assertThat(empty).isIn("", machine.get(KERNEL).at("/pages/used"));
  }

  @ParameterizedTest
  @CsvSource({"vp", "p2m", "vp-iommu"})
  void kernel_goesWithASnapshot(String mode) {
    machine.send("PATCH", "/v1/domains/1", "{\"policies\":{\"dmaMode\":\"" + mode + "\"}}");
    done(KERNEL + "/map", BUFFER);
    String before = machine.digest();
    assertThat(post("/_sim/snapshots", "{'name':'" + mode + "'}").status()).isEqualTo(201);

    String bus = done(KERNEL + "/map", BUFFER).at("/addresses/0/bus").asText();
    assertThat(machine.digest()).isNotEqualTo(before);
    post("/_sim/snapshots/" + mode + "/restore", "");

    assertThat(machine.digest()).isEqualTo(before);
    assertThat(done(KERNEL + "/map", BUFFER).at("/addresses/0/bus").asText()).isEqualTo(bus);
    assertThat(done("/v1/domains/1/drivers/disk", "{'device':'03:10.0'}").at("/verdict").asText())
        .isEqualTo("right-frame");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          vp       | {'slabs':8192,'dmaBits':24} | ENOMEM
          p2m      | {'slabs':8192,'dmaBits':24} | ENOMEM
          p2m      | {'slabs':65536}             | ENOMEM
          p2m      | {'batch':true}              | EOPNOTSUPP
          vp-iommu | {'batch':true}              | EOPNOTSUPP
          vp       | {'slabs':127}               | EINVAL
          """)
  void boot_thatIsRefused_leavesTheKernelThatRuns(String mode, String boot, String errno) {
    machine.send("PATCH", "/v1/domains/1", "{\"policies\":{\"dmaMode\":\"" + mode + "\"}}");
    String bus = done(KERNEL + "/map", BUFFER).at("/addresses/0/bus").asText();
    String before = machine.digest();

    Answer refused = machine.put(KERNEL, boot.replace('\'', '"'));

    assertThat(refused.at("/errno")).as(refused.text()).isEqualTo(errno);
    assertThat(machine.digest()).isEqualTo(before);
    done(KERNEL + "/unmap", BUFFER.replace("0x100800", bus));
  }

  @ParameterizedTest
  @CsvSource({"vp, EOPNOTSUPP", "p2m, EOPNOTSUPP", "identity, ''", "vp-iommu, ''"})
  void pagesOf16KiB_areRefusedWhereFramesWouldBeExchanged(String mode, String errno) {
    post(
        "/v1/domains",
        "{'name':'large','memory':'64MiB','p2mPageSize':'16KiB','policies':{'dmaMode':'%s'}}"
            .formatted(mode));
    machine.put("/v1/devices/03:10.1/assignment", "{\"domain\":2}");
    String before = machine.digest();

    Answer mapped = post("/v1/domains/large/dma-api/map", BUFFER.replace("03:10.0", "03:10.1"));

    assertThat(mapped.at("/errno")).as(mapped.text()).isEqualTo(errno);
    assertThat(machine.digest().equals(before)).isEqualTo(!errno.isEmpty());
    Answer exposed =
        post(
            "/v1/hypercalls/dom0vp_op/expose_p2m?caller=2",
            "{'conv_start_gpfn':'0x0','assign_start_gpfn':'0x10000','expose_size':'0x200000',"
                + "'granule_pfn':512}");
    assertThat(exposed.at("/errno")).isEqualTo("ENOSYS");
    assertThat(exposed.at("/detail")).contains("the P2M of d2 has pages of 16 KiB");
  }

  @Test
  void batch_asksForAListByOneMulticall() {
    String list =
        "{'device':'03:10.0','direction':'to_device','buffers':[{'address':'0x100000','length':64},"
            + "{'address':'0x205000','length':64},{'address':'0x30a800','length':64}]}";
    JsonNode oneByOne = done(KERNEL + "/map-sg", list).get("addresses");
    machine.put(KERNEL, "{\"batch\":true}");
    JsonNode before = machine.get("/v1/domains/1/counters").json();

    JsonNode mapped = done(KERNEL + "/map-sg", list);

    JsonNode after = machine.get("/v1/domains/1/counters").json();
    assertThat(mapped.get("addresses")).isEqualTo(oneByOne);
    assertThat(mapped.get("hypercalls").asInt()).isEqualTo(3);
    assertThat(after.get("traps").asInt() - before.get("traps").asInt()).isEqualTo(1);
    // A single buffer is asked for by itself, and nothing is remembered.
    done(KERNEL + "/map", BUFFER);
    assertThat(machine.get("/v1/domains/1/counters").json().get("traps").asInt())
        .isEqualTo(after.get("traps").asInt() + 1);
  }

  @Test
  void panic_isToldWithItsWords() {
    machine.put(KERNEL, "{\"slabs\":128}");
    done(KERNEL + "/map", BUFFER.replace("4096", "262144"));
    try (EventFeed feed = new EventFeed(client, machine.url() + "/v1/events?types=kernel.*")) {
      done(KERNEL + "/map", BUFFER.replace("4096", "16384"));
      done(KERNEL + "/map", BUFFER.replace("4096", "16384"));
      done(KERNEL + "/map", BUFFER.replace("4096", "65536"));

      assertThat(feed.typesUntil("kernel.panic"))
          .containsExactly("kernel.corruption", "kernel.panic");
    }
    assertThat(machine.get(KERNEL).at("/alive")).isEqualTo("false");
    assertThat(machine.get("/v1/domains/1").at("/state")).isEqualTo("shutdown");
  }

  @Test
  void modeThatChanges_hasTheKernelBootedAnew() {
    done(KERNEL + "/map", BUFFER);
    machine.send("PATCH", "/v1/domains/1", "{\"policies\":{\"dmaMode\":\"p2m\"}}");

    assertThat(done(KERNEL + "/map", BUFFER).get("hypercalls").asInt()).isZero();
    assertThat(machine.get(KERNEL).at("/mode")).isEqualTo("p2m");
    assertThat(machine.delete(KERNEL).status()).isEqualTo(204);
    assertThat(machine.get(KERNEL).at("/alive")).isEqualTo("false");
  }
}
