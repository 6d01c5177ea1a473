import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Makes an image of the daemon as an OCI image layout, without a container engine and without a
 * base image: a Java run time linked from this JDK, the C library that it needs, and the
 * application.
 *
 * <p>The layers are the same bytes for the same inputs. Run from source: {@code java
 * ImageLayout.java APPLICATION LAUNCH_DIRECTORY OUTPUT VERSION}.
 */
final class ImageLayout {
  private static final String MODULES =
      "java.base,java.desktop,java.logging,java.management,java.naming,java.net.http,java.sql,"
          + "jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs";
  private static final Pattern LIBRARY = Pattern.compile("(/\\S+\\.so\\S*)(?: \\(0x|$)");
  private static final String JAVA = "opt/java";
  private static final String APPLICATION = "opt/hypercalld";

  private final Path work;
  private final Path layout;
  private final List<String> layers = new ArrayList<>();
  private final List<String> diffIds = new ArrayList<>();

  private ImageLayout(Path output) {
    this.work = output.resolveSibling("image-work");
    this.layout = output;
  }

  public static void main(String[] args) throws Exception {
    ImageLayout image = new ImageLayout(Path.of(args[2]));
    image.clear();
    image.addLayer("runtime", image.runtime());
    image.addLayer("application", image.application(Path.of(args[0]), Path.of(args[1])));
    image.finish(args[3]);
  }

  private void clear() throws IOException {
    for (Path directory : List.of(work, layout)) {
      if (Files.exists(directory)) {
        try (Stream<Path> files = Files.walk(directory)) {
          files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        }
      }
    }
    Files.createDirectories(work);
    Files.createDirectories(layout.resolve("blobs/sha256"));
  }

  /** A root directory with Java and what it is linked with, and places that programs expect. */
  private Path runtime() throws IOException, InterruptedException {
    Path root = work.resolve("runtime");
    Path java = root.resolve(JAVA);
    Files.createDirectories(java.getParent());
    run(
        Path.of(System.getProperty("java.home"), "bin", "jlink").toString(),
        "--add-modules",
        MODULES,
        "--strip-java-debug-attributes",
        "--no-header-files",
        "--no-man-pages",
        "--generate-cds-archive",
        "--compress",
        "zip-6",
        "--output",
        java.toString());
    for (String library : libraries(java)) {
      Path copy = root.resolve(library.substring(1));
      Files.createDirectories(copy.getParent());
      Files.copy(Path.of(library), copy, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.createDirectories(root.resolve("tmp"));
    Files.createDirectories(root.resolve("etc"));
    Files.writeString(root.resolve("etc/passwd"), "hypercalld:x:7780:7780::/tmp:/sbin/nologin\n");
    Files.writeString(root.resolve("etc/group"), "hypercalld:x:7780:\n");
    return root;
  }

  /** What the linker would load for Java, by its absolute paths; nothing graphical. */
  private static TreeSet<String> libraries(Path java) throws IOException, InterruptedException {
    TreeSet<String> found = new TreeSet<>();
    List<Path> objects = new ArrayList<>(List.of(java.resolve("bin/java")));
    for (String name :
        List.of(
            "server/libjvm",
            "libjava",
            "libjli",
            "libnio",
            "libnet",
            "libzip",
            "libjimage",
            "libmanagement",
            "libmanagement_ext",
            "libextnet")) {
      objects.add(java.resolve("lib/" + name + ".so"));
    }
    for (Path object : objects) {
      if (Files.exists(object)) {
        for (String line : run("ldd", object.toString()).lines().toList()) {
          Matcher library = LIBRARY.matcher(line);
          if (library.find() && !library.group(1).startsWith(java.toAbsolutePath().toString())) {
            found.add(library.group(1));
          }
        }
      }
    }
    return found;
  }

  private Path application(Path application, Path launch) throws IOException {
    Path root = work.resolve("application");
    Path target = root.resolve(APPLICATION);
    Files.createDirectories(target.resolve("lib"));
    Files.copy(application.resolve("hypercalld.jar"), target.resolve("hypercalld.jar"));
    try (Stream<Path> jars = Files.list(application.resolve("lib"))) {
      for (Path jar : jars.toList()) {
        Files.copy(jar, target.resolve("lib").resolve(jar.getFileName()));
      }
    }
    Files.copy(launch.resolve("jvm.options"), target.resolve("jvm.options"));
    return root;
  }

  /** One archive of a root directory, in an order and with dates that do not change. */
  private void addLayer(String name, Path root) throws Exception {
    Path archive = work.resolve(name + ".tar");
    run(
        "tar",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
        "--mode=u+rw,go+r-w",
        "-C",
        root.toString(),
        "-cf",
        archive.toString(),
        ".");
    diffIds.add(digest(archive));
    Path packed = work.resolve(name + ".tar.gz");
    try (InputStream in = Files.newInputStream(archive);
        OutputStream out =
            new GZIPOutputStream(Files.newOutputStream(packed)) {
              {
                def.setLevel(Deflater.BEST_SPEED);
              }
            }) {
      in.transferTo(out);
    }
    layers.add(descriptor("application/vnd.oci.image.layer.v1.tar+gzip", packed, ""));
  }

  private void finish(String version) throws Exception {
    Path config = work.resolve("config.json");
    Files.writeString(
        config,
        """
        {"created":"1970-01-01T00:00:00Z","architecture":"%s","os":"linux",\
        "config":{"User":"7780:7780","ExposedPorts":{"7780/tcp":{}},"WorkingDir":"/tmp",\
        "Env":["PATH=/%s/bin"],\
        "Entrypoint":["/%s/bin/java","@/%s/jvm.options","-jar","/%s/hypercalld.jar"],\
        "Labels":{"org.opencontainers.image.title":"hypercalld",\
        "org.opencontainers.image.version":"%s","org.opencontainers.image.licenses":"Apache-2.0"}},\
        "rootfs":{"type":"layers","diff_ids":[%s]}}\
        """
            .formatted(
                architecture(), JAVA, JAVA, APPLICATION, APPLICATION, version, quoted(diffIds)));
    String configuration = descriptor("application/vnd.oci.image.config.v1+json", config, "");
    Path manifest = work.resolve("manifest.json");
    Files.writeString(
        manifest,
        """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
        "config":%s,"layers":[%s]}\
        """
            .formatted(configuration, String.join(",", layers)));
    String named =
        ",\"platform\":{\"architecture\":\"%s\",\"os\":\"linux\"},\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}"
            .formatted(architecture(), version);
    String entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest, named);
    Files.writeString(
        layout.resolve("index.json"),
        """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}\
        """
            .formatted(entry));
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
  }

  private static String architecture() {
    return switch (System.getProperty("os.arch")) {
      case "aarch64" -> "arm64";
      case String other -> other.replace("x86_64", "amd64");
    };
  }

  private static String quoted(List<String> texts) {
    return "\"" + String.join("\",\"", texts) + "\"";
  }

  /** Moves a file among the blobs. */
  private String descriptor(String mediaType, Path file, String more) throws Exception {
    String digest = digest(file);
    long size = Files.size(file);
    Files.move(
        file,
        layout.resolve("blobs/sha256").resolve(digest.substring("sha256:".length())),
        StandardCopyOption.REPLACE_EXISTING);
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d%s}"
        .formatted(mediaType, digest, size, more);
  }

  private static String digest(Path file) throws IOException, NoSuchAlgorithmException {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), sha256)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return "sha256:" + HexFormat.of().formatHex(sha256.digest());
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + " failed: " + said);
    }
    return said;
  }
}
