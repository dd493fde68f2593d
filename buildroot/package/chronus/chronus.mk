################################################################################
#
# chronus
#
################################################################################

CHRONUS_TOP = $(BR2_EXTERNAL_CHRONUS_PATH)/..
CHRONUS_VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' $(CHRONUS_TOP)/Cargo.toml)
# The units. The program is compiled outside: it is static, and Buildroot has no static alsa-lib beside systemd.
CHRONUS_SITE = $(CHRONUS_TOP)/systemd
CHRONUS_SITE_METHOD = local
CHRONUS_LICENSE = MIT or Apache-2.0
CHRONUS_DEPENDENCIES = alsa-lib
CHRONUS_PROGRAM = $(call qstrip,$(BR2_PACKAGE_CHRONUS_PROGRAM))

# A system without /etc to write to gets its users here (usr/lib/sysusers.d is for other systems).
define CHRONUS_USERS
	- - gpio -1 * - - - Pins
	chronus -1 chronus -1 * - - audio,gpio Chronus engine
endef

define CHRONUS_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(CHRONUS_PROGRAM) $(TARGET_DIR)/usr/bin/chronus
endef

# Enabled in /usr, as each [Install] says: /etc is for whoever changes this system.
define CHRONUS_INSTALL_INIT_SYSTEMD
	for unit in $(@D)/*.service $(@D)/*.mount $(@D)/*.path; do \
		name=$${unit##*/}; \
		$(INSTALL) -D -m 0644 $$unit $(TARGET_DIR)/usr/lib/systemd/system/$$name || exit 1; \
		for target in $$(sed -n 's/^WantedBy=//p' $$unit); do \
			mkdir -p $(TARGET_DIR)/usr/lib/systemd/system/$$target.wants || exit 1; \
			ln -sf ../$$name $(TARGET_DIR)/usr/lib/systemd/system/$$target.wants/$$name || exit 1; \
		done; \
	done
endef

$(eval $(generic-package))
