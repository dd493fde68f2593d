// SPDX-License-Identifier: GPL-2.0
/*
 * gpiomem: in the virtual machine of the tests, the device that hands a Raspberry Pi's page of GPIO registers to a
 * program. There are no pins behind these registers: they are memory, in which all levels are high, as those of pins
 * are that are pulled up and touched by nobody.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

/* GPLEV0 and GPLEV1, the levels of the pins, in words of 32 bits (BCM2711 ARM Peripherals, 5.2). */
#define LEVELS 13

static u32 *registers;

static int gpiomem_mmap(struct file *file, struct vm_area_struct *area)
{
	return remap_vmalloc_range(area, registers, area->vm_pgoff);
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.mmap = gpiomem_mmap,
};

static struct miscdevice gpiomem = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gpiomem",
	.fops = &operations,
};

static int __init gpiomem_init(void)
{
	int failed;

	registers = vmalloc_user(PAGE_SIZE);
	if (!registers)
		return -ENOMEM;
	registers[LEVELS] = registers[LEVELS + 1] = ~0;
	failed = misc_register(&gpiomem);
	if (failed)
		vfree(registers);
	return failed;
}

static void __exit gpiomem_exit(void)
{
	misc_deregister(&gpiomem);
	vfree(registers);
}

module_init(gpiomem_init);
module_exit(gpiomem_exit);
MODULE_DESCRIPTION("A Raspberry Pi's GPIO registers without a Raspberry Pi");
MODULE_LICENSE("GPL");
