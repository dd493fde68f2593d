//! The SSH server of the box (`usr/lib/chronus/ssh`): who it is to its visitors.

use chronus_tests::made_up_box::MadeUpBox;
use chronus_tests::script::told;

#[test]
fn host_keys_are_kept_on_data_or_last_until_the_power_goes() {
    let Some(made_up) = MadeUpBox::new("ssh") else { return };
    made_up.write("run/chronus/authorized_keys", "ssh-ed25519 AAAA\n");
    made_up.stand_in("dropbear", "echo server: $*");
    // A key is whatever begins so.
    made_up.stand_in(
        "dropbearkey",
        "case $1 in -y) grep -q ^key \"$3\" 2>/dev/null ;; *) echo \"key of $$\" >\"$4\" ;; esac",
    );
    let served = |words: &str| told(&made_up.run(&format!("{words}; /chronus/ssh")));
    std::fs::create_dir_all(made_up.path("data/box")).unwrap();
    let told = served(":");
    assert!(
        told.contains("-r /data/box/dropbear/dropbear_ed25519_host_key -r /data/box/dropbear/dropbear_ecdsa_"),
        "{told}"
    );
    let key = || std::fs::read_to_string(made_up.path("data/box/dropbear/dropbear_ed25519_host_key")).unwrap();
    let first = key();
    served(":");
    assert_eq!(key(), first, "the box stays the same one");
    // A file that is no key any more.
    made_up.write("data/box/dropbear/dropbear_ed25519_host_key", "\0\0");
    served(":");
    assert!(key().starts_with("key of"));
    // Full, and nothing there yet; and read-only.
    let told = served("mount -t tmpfs none /data && mkdir /data/box && mount -o remount,ro /data");
    assert!(told.contains("cannot be kept") && told.contains("-r /run/chronus/dropbear/dropbear_ed25519"), "{told}");
    assert_eq!(told.matches("-r ").count(), 2, "{told}");
}
