package io.hypercalld.api.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.client.CommandedDaemon.Ran;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.Yaml;

/** The command line against a daemon that serves HTTP. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ClientTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CommandedDaemon daemon = new CommandedDaemon();

  @AfterAll
  void close() {
    daemon.close();
  }

  @BeforeEach
  void reset() {
    daemon.line("sim reset");
    daemon.line("domain create web --type hvm --memory 64MiB --vcpus 2");
  }

  private String digest() {
    return daemon.line("sim digest -o name").out();
  }

  @Test
  void table_ofDomains_hasAlignedColumns() {
    Ran ran = daemon.line("domain list");

    assertThat(ran.exit()).isEqualTo(Exit.OK);
    assertThat(ran.lines())
        .containsExactly(
            "DOMID   NAME       TYPE   STATE     VCPUS   MEMORY   PAGE-TABLES   DEVICES",
            "0       Domain-0   pvh    running   4       1GiB     separate      538",
            "1       web        hvm    paused    2       64MiB    shared        0");
    assertThat(ran.err()).isEmpty();
  }

  @Test
  void table_withoutHeaders_hasRowsOnly() {
    assertThat(daemon.line("domain list --no-headers").lines()).hasSize(2);
  }

  @Test
  void show_ofADomain_hasEveryMemberInALine() {
    assertThat(daemon.line("domain show web").lines())
        .contains("name                      web", "policies.flush            per-page");
  }

  @Test
  void json_isWhatTheDaemonSays() throws IOException {
    JsonNode domains = JSON.readTree(daemon.line("domain list -o json").out());

    assertThat(domains.at("/items/1/name").asText()).isEqualTo("web");
    assertThat(domains.at("/items/1/memoryBytes").isInt()).isTrue();
    assertThat(domains.at("/items/1/viommu").isNull()).isTrue();
  }

  @Test
  void yaml_saysTheSameAsJson() throws IOException {
    Object yaml = new Yaml().load(daemon.line("domain show web -o yaml").out());

    assertThat((Object) JSON.valueToTree(yaml))
        .isEqualTo(JSON.readTree(daemon.line("domain show web -o json").out()));
  }

  @Test
  void name_isTheFirstColumn_forOtherCommands() {
    assertThat(daemon.line("domain list -o name").out()).isEqualTo("0\n1\n");
    assertThat(daemon.line("domain show web -o name").out()).isEqualTo("1\n");
  }

  @Test
  void output_ofTheEnvironment_yieldsToTheFlag() {
    Map<String, String> environment = Map.of("HV_OUTPUT", "name");

    assertThat(daemon.run(environment, "", "domain", "list").out()).isEqualTo("0\n1\n");
    assertThat(daemon.run(environment, "", "domain", "list", "-o", "json").out()).startsWith("{");
  }

  @Test
  void list_ofManyPages_isWhole() {
    assertThat(daemon.line("device list -o name").lines()).hasSize(538);
    assertThat(daemon.line("iommu registers 0 -o name").lines()).contains("CAP", "IQT");
  }

  @Test
  void assignment_thereAndBack_movesTheDevice() {
    assertThat(daemon.line("device assign 03:10.0 1 --guest-bdf 00:05.0").lines().getLast())
        .matches("0000:03:10.0 +0x020000 +assigned +1 +0 +1 +0000:00:05.0 .*");
    assertThat(daemon.line("device list --owner 1 -o name").out()).isEqualTo("0000:03:10.0\n");

    Ran deassigned = daemon.line("device deassign 03:10.0");

    assertThat(deassigned).isEqualTo(new Ran(Exit.OK, "", ""));
    assertThat(daemon.line("device show 03:10.0").out()).contains("quarantined");
  }

  @Test
  void domain_byName_isGoodWhereItsIdIs() {
    assertThat(daemon.line("device assign 03:10.0 web").exit()).isEqualTo(Exit.OK);
    assertThat(daemon.line("explain access web 0x3000").out()).startsWith("verdict: maps to 0x");
    assertThat(daemon.line("explain dma 03:10.0 0x3000").out()).startsWith("verdict: maps to 0x");
    assertThat(daemon.line("hypercall domctl getdomaininfo domain=web").out())
        .contains("out.tot_pages                     16384");
    assertThat(daemon.line("device assign 03:10.1 nobody"))
        .isEqualTo(new Ran(Exit.NOT_FOUND, "", "hypercalld: ESRCH: there is no domain nobody\n"));
  }

  @Test
  void get_isAnotherWordForShow() {
    assertThat(daemon.line("domain get web")).isEqualTo(daemon.line("domain show web"));
  }

  @Test
  void dryRun_saysWhatWouldChange_andChangesNothing() {
    String before = digest();

    Ran ran = daemon.line("device assign 03:10.0 1 --dry-run");

    assertThat(ran.exit()).isEqualTo(Exit.OK);
    assertThat(ran.out()).contains("/v1/devices/0000:03:10.0", "owner 0 -> 1");
    assertThat(ran.out()).containsPattern("/v1/iommus/0/domain-ids/1 +new");
    assertThat(digest()).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "domain show nobody|NOT_FOUND|ESRCH: there is no domain nobody",
        "device show 0000:ff:1f.7|NOT_FOUND|ENODEV: 0000:ff:1f.7 does not exist",
        "domain create web --memory 4MiB --dry-run|WOULD_FAIL|EEXIST: ",
        "domain destroy nobody --dry-run|WOULD_FAIL|ESRCH: there is no domain nobody",
        "domain create web --memory 4MiB|CONFLICT|EEXIST: ",
        "domain pause web --if-match 0000|CONFLICT|its tag is \"",
        "device assign 00:00.0 1|FAILED|EPERM: 0000:00:00.0 is a host bridge",
        "hypercall domctl getdomaininfo domian=1|USAGE|unknown member, did you mean domain? at"
            + " /domian",
        "hypercall domctl getdomaininfo domain|USAGE|hypercall: \"domain\" is not member=value",
        "domian list|USAGE|unknown command domian, did you mean domain?",
        "domain lst|USAGE|, did you mean list?",
        "domain|USAGE|domain: nothing is not one of list|",
        "domain show|USAGE|domain show: Missing required parameter: 'DOMAIN'",
        "domain show a b|USAGE|domain show: what is b?",
        "domain list --ouput json|USAGE|did you mean --output?",
        "domain list -o xml|USAGE|\"xml\" is not table, json, yaml or name",
        "domain list --timeout never|USAGE|--timeout: \"never\" is not a number of seconds",
        "domain list --url ftp://x|USAGE|\"ftp://x\" is not an address",
        "completion tcsh|USAGE|completion: \"tcsh\" is not bash or zsh"
      })
  void failure_hasItsExit_andOneLineOnStandardError(String line, Exit exit, String complaint) {
    Ran ran = daemon.line(line.replace("'", ""));

    assertThat(ran.exit()).isEqualTo(exit);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err().replace("'", "")).contains(complaint.replace("'", ""));
    assertThat(ran.err().lines()).hasSize(1).allMatch(said -> said.startsWith("hypercalld: "));
  }

  @Test
  void daemon_thatIsNotThere_isUnreachable() throws IOException {
    int port = portOfNobody();

    Ran ran = daemon.line("domain list --url http://127.0.0.1:" + port);

    assertThat(ran.exit()).isEqualTo(Exit.UNREACHABLE);
    assertThat(ran.err()).contains("127.0.0.1:" + port, "Connection refused");
  }

  private static int portOfNobody() throws IOException {
    try (ServerSocket once = new ServerSocket(0)) {
      return once.getLocalPort();
    }
  }

  @Test
  void daemon_thatDoesNotAnswer_isLeftAfterTheTimeout() throws IOException {
    try (ServerSocket silent = new ServerSocket(0)) {
      String url = "http://127.0.0.1:" + silent.getLocalPort();

      Ran ran = daemon.line("domain list --timeout 0.2 --url " + url);

      assertThat(ran.exit()).isEqualTo(Exit.UNREACHABLE);
      assertThat(ran.err()).contains("no answer within 200 ms");
    }
  }

  @Test
  void verbose_printsACurl_thatSaysTheSame() throws Exception {
    Ran ran = daemon.run("hypercall", "domctl", "getdomaininfo", "domain=1", "-v", "-o", "json");

    assertThat(ran.err()).startsWith("curl -s '" + daemon.url() + "/v1/hypercalls/domctl/");
    Process curl = new ProcessBuilder("sh", "-c", ran.err()).start();
    assertThat(new String(curl.getInputStream().readAllBytes(), UTF_8) + "\n").isEqualTo(ran.out());
  }

  @Test
  void machine_carriedInAFile_isTheSameElsewhere(@TempDir Path directory) throws Exception {
    daemon.line("device assign 03:10.0 web");
    String digest = digest();
    Path file = directory.resolve("machine.gz");
    Path journal =
        Files.writeString(directory.resolve("journal"), daemon.line("sim journal").out());
    Ran exported = daemon.line("sim export -v");
    Process curl =
        new ProcessBuilder("sh", "-c", exported.err().strip() + " > " + file).inheritIO().start();
    assertThat(curl.waitFor()).isZero();

    for (String verb : List.of("import", "replay")) {
      daemon.line("sim reset");
      assertThat(digest()).isNotEqualTo(digest);
      Path from = verb.equals("import") ? file : journal;
      Ran ran = daemon.line("sim " + verb + " " + from + " -v");

      assertThat(ran.exit()).as(ran.err()).isEqualTo(Exit.OK);
      assertThat(ran.out()).contains(digest);
      assertThat(ran.err()).contains(" --data-binary '@" + from + "'");
      assertThat(digest()).isEqualTo(digest);
    }
    assertThat(daemon.line("sim import " + directory.resolve("absent")).exit())
        .isEqualTo(Exit.FAILED);
    assertThat(daemon.line("sim requests").out()).contains("/_sim/replay");
  }

  @Test
  void memory_ofTheMachine_isWrittenAndRead() {
    assertThat(daemon.line("machine write 0x140000000 c0ffee").exit()).isEqualTo(Exit.OK);
    assertThat(daemon.line("machine read 0x140000000 4").out()).contains("c0ffee00");
  }

  @Test
  void verbose_withAToken_keepsItToItself() {
    Ran ran = daemon.run(Map.of("HV_TOKEN", "a-secret-of-many-letters"), "", "sim", "clock", "-v");

    assertThat(ran.err()).contains("Bearer $HV_TOKEN").doesNotContain("secret");
  }

  @Test
  void hypercall_withBodyFromStandardInput_isTheSameAsWithPairs() {
    Ran typed = daemon.run("hypercall", "domctl", "getdomaininfo", "domain=1");
    Ran piped =
        daemon.run(
            Map.of(), "{\"domain\":1}", "hypercall", "domctl", "getdomaininfo", "--body", "-");

    assertThat(typed.out()).contains("out.tot_pages                     16384");
    assertThat(piped).isEqualTo(typed);
  }

  @Test
  void hypercall_ofAList_takesJson() {
    Ran ran =
        daemon.run(
            "hypercall",
            "memory_op",
            "decrease_reservation",
            "domid=1",
            "extent_start=[\"0x5\",\"0x6\"]",
            "extent_order=0");

    assertThat(ran.lines()).contains("ret   2");
  }

  @Test
  void policies_asPairs_areChanged() {
    assertThat(daemon.line("domain policies web flush=deferred").lines())
        .contains("policies.flush            deferred");
  }

  @Test
  void invariants_violated_areAFailure() {
    assertThat(daemon.line("sim invariants").exit()).isEqualTo(Exit.OK);
    daemon.run(
        "domain",
        "create",
        "leaky",
        "--memory",
        "4MiB",
        "--page-tables",
        "separate",
        "--policies",
        "{\"syncHooks\":[\"physmap-add\"]}");
    daemon.line("device assign 03:10.0 2");
    daemon.run(
        "hypercall",
        "memory_op",
        "decrease_reservation",
        "domid=2",
        "extent_start=[\"0x5\"]",
        "extent_order=0");

    Ran ran = daemon.line("sim invariants");

    assertThat(ran.exit()).isEqualTo(Exit.FAILED);
    assertThat(ran.out()).contains("I9");
  }

  @Test
  void debugKeys_areTheDaemonsText() {
    assertThat(daemon.line("debug-keys Q").lines())
        .startsWith("==== PCI devices ====", "==== segment 0000 ====");
  }

  @Test
  void bundle_hasEveryPartOfTheMachine() throws IOException {
    JsonNode bundle = JSON.readTree(daemon.line("bundle -o json").out());

    assertThat(bundle.at("/~1v1~1domains~11~1p2m/items/0/gfn").asText()).isEqualTo("0x0");
    assertThat(bundle.at("/~1v1~1iommus~10~1registers/items").size()).isPositive();
    assertThat(bundle.at("/~1metrics").asText()).contains("hv_domains");
  }

  @Test
  void help_ofANoun_listsItsVerbs() {
    Ran ran = daemon.line("device --help");

    assertThat(ran.exit()).isEqualTo(Exit.OK);
    assertThat(ran.out()).contains("assign", "deassign", "group", "dma");
    assertThat(daemon.line("device assign --help").out()).contains("--flags", "--dry-run");
    assertThat(ran.out()).doesNotContain("\u001b");
  }
}
