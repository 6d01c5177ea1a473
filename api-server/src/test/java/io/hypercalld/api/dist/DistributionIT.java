package io.hypercalld.api.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code mvn -Pdist} has built; skipped after any other build. */
final class DistributionIT {
  private static final Path BUILT = Path.of("target");
  private static final Path IMAGE = BUILT.resolve("image");

  @TempDir private Path scratch;

  @Test
  void debianPackage_hasTheDaemonItsUnitAndItsConfiguration() throws Exception {
    Optional<Path> built = debianPackage();
    assumeTrue(built.isPresent(), "no package: build with mvn -Pdist");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/dpkg-deb")), "dpkg-deb is not installed");

    String contents = run("dpkg-deb", "--contents", built.get().toString());
    String about = run("dpkg-deb", "--info", built.get().toString());

    assertThat(contents)
        .contains(
            "./usr/bin/hypercalld",
            "./usr/share/hypercalld/hypercalld.jar",
            "./usr/share/hypercalld/jvm.options",
            "./usr/share/hypercalld/client.options",
            "./usr/share/hypercalld/monitoring/alerts.yaml",
            "./usr/lib/systemd/system/hypercalld.service",
            "./etc/hypercalld/hypercalld.yaml")
        .containsPattern("-rwxr-xr-x .*usr/bin/hypercalld")
        .containsPattern("usr/share/hypercalld/lib/picocli-[0-9.]+\\.jar");
    assertThat(about)
        .contains("Package: hypercalld", "openjdk-25-jre-headless")
        .doesNotContain("example", "[[");
  }

  @Test
  void debianPackage_installedBelowAnotherRoot_serves() throws Exception {
    Optional<Path> built = debianPackage();
    assumeTrue(built.isPresent(), "no package: build with mvn -Pdist");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/dpkg")), "dpkg is not installed");
    for (String directory : List.of("info", "updates", "triggers")) {
      Files.createDirectories(scratch.resolve("var/lib/dpkg").resolve(directory));
    }
    Files.createFile(scratch.resolve("var/lib/dpkg/status"));

    run(
        "dpkg",
        "--root=" + scratch,
        "--force-not-root",
        "--force-depends",
        "--force-script-chrootless",
        "--log=" + scratch.resolve("dpkg.log"),
        "--install",
        built.get().toAbsolutePath().toString());

    assertThat(run("dpkg", "--root=" + scratch, "--list", "hypercalld")).contains("ii  hypercalld");
    serves(
        List.of(
            scratch.resolve("usr/bin/hypercalld").toString(),
            "serve",
            "--config",
            scratch.resolve("etc/hypercalld/hypercalld.yaml").toString(),
            "--port",
            "0"));
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/systemd-analyze")), "systemd is not installed");
    run(
        "systemd-analyze",
        "verify",
        "--root=" + scratch,
        "--recursive-errors=no",
        "/usr/lib/systemd/system/hypercalld.service");
  }

  /** Starts a daemon, asks it, and ends it. */
  private static void serves(List<String> command) throws Exception {
    Process daemon =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (HttpClient client = HttpClient.newHttpClient()) {
      JsonNode ready = new ObjectMapper().readTree(daemon.inputReader().readLine());
      HttpRequest question =
          HttpRequest.newBuilder(URI.create(ready.path("url").asText() + "/v1/domains/0")).build();

      HttpResponse<String> answer = client.send(question, BodyHandlers.ofString());

      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      assertThat(answer.body()).contains("\"name\":\"Domain-0\"");
      // The container's command is a child of the one that was started.
      Stream.concat(daemon.descendants(), Stream.of(daemon.toHandle()))
          .forEach(ProcessHandle::destroy);
      assertThat(daemon.waitFor(10, TimeUnit.SECONDS)).isTrue();
    } finally {
      daemon.descendants().forEach(ProcessHandle::destroyForcibly);
      daemon.destroyForcibly();
    }
  }

  private static Optional<Path> debianPackage() throws IOException {
    try (Stream<Path> files = Files.list(BUILT)) {
      return files.filter(file -> file.toString().endsWith("_all.deb")).findFirst();
    }
  }

  @Test
  void image_isALayout_whoseDigestsHold() throws Exception {
    assumeTrue(Files.exists(IMAGE), "no image: build with mvn -Pdist");

    assertThat(read(IMAGE.resolve("oci-layout")).path("imageLayoutVersion").asText())
        .isEqualTo("1.0.0");
    JsonNode manifest = blob(read(IMAGE.resolve("index.json")).at("/manifests/0"));
    JsonNode configuration = blob(manifest.path("config"));
    assertThat(configuration.at("/config/User").asText()).isEqualTo("7780:7780");
    assertThat(manifest.path("layers")).hasSize(2);
    for (int i = 0; i < 2; i++) {
      Path layer = file(manifest.path("layers").get(i));
      assertThat(digest(Files.newInputStream(layer)))
          .isEqualTo(manifest.path("layers").get(i).path("digest").asText());
      assertThat(digest(new GZIPInputStream(Files.newInputStream(layer))))
          .isEqualTo(configuration.at("/rootfs/diff_ids").get(i).asText());
    }
  }

  @Test
  void image_unpacked_serves() throws Exception {
    assumeTrue(Files.exists(IMAGE), "no image: build with mvn -Pdist");
    assumeTrue(
        new ProcessBuilder("unshare", "--mount", "true").start().waitFor() == 0,
        "a container takes rights that there are not");
    JsonNode manifest = blob(read(IMAGE.resolve("index.json")).at("/manifests/0"));
    for (JsonNode layer : manifest.path("layers")) {
      run("tar", "-xzf", file(layer).toString(), "-C", scratch.toString());
    }
    Files.createDirectories(scratch.resolve("proc"));
    JsonNode configuration = blob(manifest.path("config")).path("config");
    StringBuilder entry = new StringBuilder("mount --rbind /proc \"$0/proc\" && exec chroot");
    entry.append(" --userspec=").append(configuration.path("User").asText()).append(" \"$0\"");
    configuration.path("Entrypoint").forEach(word -> entry.append(' ').append(word.asText()));

    serves(
        List.of(
            "unshare",
            "--mount",
            "sh",
            "-c",
            entry.append(" --port 0").toString(),
            scratch.toString()));
  }

  @Test
  void billOfMaterials_namesTheLibraries() throws Exception {
    Path bill = BUILT.resolve("hypercalld-sbom.json");
    assumeTrue(Files.exists(bill), "no bill of materials: build with mvn -Pdist");

    JsonNode materials = read(bill);

    assertThat(materials.path("bomFormat").asText()).isEqualTo("CycloneDX");
    assertThat(materials.path("specVersion").asText()).isEqualTo("1.6");
    for (JsonNode component : materials.path("components")) {
      assertThat(component.path("purl").asText()).startsWith("pkg:maven/").contains("@");
      assertThat(component.path("licenses")).as(component.path("name").asText()).isNotEmpty();
    }
    List<String> names =
        materials.path("components").findValuesAsText("name").stream().distinct().toList();
    assertThat(names).contains("picocli", "iommu", "ioreq", "hypervisor-core", "agrona");
    assertThat(names).doesNotContain("junit-jupiter", "assertj-core");
  }

  private static JsonNode blob(JsonNode descriptor) throws Exception {
    Path file = file(descriptor);
    assertThat(Files.size(file)).isEqualTo(descriptor.path("size").asLong());
    assertThat(digest(Files.newInputStream(file))).isEqualTo(descriptor.path("digest").asText());
    return read(file);
  }

  private static Path file(JsonNode descriptor) {
    return IMAGE
        .resolve("blobs/sha256")
        .resolve(descriptor.path("digest").asText().substring("sha256:".length()));
  }

  private static JsonNode read(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  private static String digest(InputStream bytes) throws Exception {
    try (bytes) {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int count = bytes.read(buffer); count >= 0; count = bytes.read(buffer)) {
        sha256.update(buffer, 0, count);
      }
      return "sha256:" + HexFormat.of().formatHex(sha256.digest());
    }
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
