include $(sort $(wildcard $(BR2_EXTERNAL_CHRONUS_PATH)/package/*/*.mk))
